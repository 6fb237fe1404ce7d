"""The procedure: from the first scan to the signed report."""

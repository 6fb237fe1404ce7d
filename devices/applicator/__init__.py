"""The serial link to the applicator controller (seedline 1)."""

from devices.applicator.link import ApplicatorLink
from devices.applicator.records import ControllerStatus, DeviceRecord, LinkStatus

__all__ = ["ApplicatorLink", "ControllerStatus", "DeviceRecord", "LinkStatus"]

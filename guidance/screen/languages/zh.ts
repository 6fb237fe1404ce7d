<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="zh" sourcelanguage="en">
  <context>
    <name>screen</name>
    <message>
      <source>The case has not been exported: {why}</source>
      <translation>病例尚未导出：{why}</translation>
    </message>
    <message>
      <source>writing report and objects</source>
      <translation>正在写出报告与对象</translation>
    </message>
    <message>
      <source>seed models enabled: {models}</source>
      <translation>已启用的粒子型号：{models}</translation>
    </message>
    <message>
      <source>commissioned by this site: {models}</source>
      <translation>本单位验收的型号：{models}</translation>
    </message>
    <message>
      <source>grey scales</source>
      <translation>灰度预设</translation>
    </message>
    <message>
      <source>wheel</source>
      <translation>滚轮</translation>
    </message>
    <message>
      <source>slices; with Ctrl, zoom</source>
      <translation>翻层；按住 Ctrl 缩放</translation>
    </message>
    <message>
      <source>left</source>
      <translation>左键</translation>
    </message>
    <message>
      <source>move the crosshair</source>
      <translation>移动十字线</translation>
    </message>
    <message>
      <source>right</source>
      <translation>右键</translation>
    </message>
    <message>
      <source>grey scale</source>
      <translation>调窗</translation>
    </message>
    <message>
      <source>middle</source>
      <translation>中键</translation>
    </message>
    <message>
      <source>move the picture</source>
      <translation>平移图像</translation>
    </message>
    <message>
      <source>double click</source>
      <translation>双击</translation>
    </message>
    <message>
      <source>one view alone, or all</source>
      <translation>单视图 / 全部视图</translation>
    </message>
    <message>
      <source>Open case</source>
      <translation>打开病例</translation>
    </message>
    <message>
      <source>Accept registration</source>
      <translation>接受配准</translation>
    </message>
    <message>
      <source>Confirm needles</source>
      <translation>确认针道</translation>
    </message>
    <message>
      <source>Verify implant</source>
      <translation>核实植入</translation>
    </message>
    <message>
      <source>No needle attached</source>
      <translation>未连接针</translation>
    </message>
    <message>
      <source>SURE? 1 SEED, NEEDLE {needle}  {key}</source>
      <translation>确认？针 {needle} 1 粒  {key}</translation>
    </message>
    <message>
      <source>operator's name</source>
      <translation>操作者姓名</translation>
    </message>
    <message>
      <source>sentence on the seeds without a place</source>
      <translation>对去向不明粒子的说明</translation>
    </message>
    <message>
      <source>seeds </source>
      <translation>粒子 </translation>
    </message>
    <message>
      <source>end the permit</source>
      <translation>结束许可</translation>
    </message>
    <message>
      <source>permit 1 seed through needle {needle}</source>
      <translation>许可经针 {needle} 植入 1 粒</translation>
    </message>
    <message>
      <source>record {eid}: the seed stayed</source>
      <translation>记录 {eid}：粒子未推出</translation>
    </message>
    <message>
      <source>close the case</source>
      <translation>关闭病例</translation>
    </message>
    <message>
      <source>Permit seeds, needle {needle}  {key}</source>
      <translation>许可植入，针 {needle}  {key}</translation>
    </message>
    <message>
      <source>SURE? {n} SEEDS, NEEDLE {needle}  {key}</source>
      <translation>确定？针 {needle} 植入 {n} 粒  {key}</translation>
    </message>
    <message>
      <source>Seed LEFT (record {eid}, needle {needle})</source>
      <translation>粒子已推出（记录 {eid}，针 {needle}）</translation>
    </message>
    <message>
      <source>Decide ({n})</source>
      <translation>待决 ({n})</translation>
    </message>
    <message>
      <source>Decide</source>
      <translation>待决</translation>
    </message>
    <message>
      <source>by</source>
      <translation>操作者</translation>
    </message>
    <message>
      <source>permit {n} seeds through needle {needle}</source>
      <translation>许可经针 {needle} 植入 {n} 粒</translation>
    </message>
    <message>
      <source>record {eid}: the seed left</source>
      <translation>记录 {eid}：粒子已推出</translation>
    </message>
    <message>
      <source>SURE? IT LEFT</source>
      <translation>确定？已推出</translation>
    </message>
    <message>
      <source>Seed STAYED</source>
      <translation>粒子未推出</translation>
    </message>
    <message>
      <source>SURE? IT STAYED</source>
      <translation>确定？未推出</translation>
    </message>
    <message>
      <source>SURE? CLOSE THE CASE</source>
      <translation>确定？关闭病例</translation>
    </message>
    <message>
      <source>Cartridges</source>
      <translation>弹夹</translation>
    </message>
    <message>
      <source>END PERMIT</source>
      <translation>结束许可</translation>
    </message>
    <message>
      <source>Patients</source>
      <translation>患者</translation>
    </message>
    <message>
      <source>Close case</source>
      <translation>关闭病例</translation>
    </message>
    <message>
      <source>CONTINUE</source>
      <translation>继续</translation>
    </message>
    <message>
      <source>ADJUST</source>
      <translation>调整</translation>
    </message>
    <message>
      <source>STOP</source>
      <translation>停止</translation>
    </message>
    <message>
      <source>model-based, research</source>
      <translation>基于模型（研究用）</translation>
    </message>
    <message>
      <source>{verdict} ({dose}, after event {event}): {reason}</source>
      <translation>{verdict}（{dose}，事件 {event} 后）：{reason}</translation>
    </message>
    <message>
      <source>leading dose: {dose}, chosen by {name}</source>
      <translation>为主的剂量：{dose}，由 {name} 选定</translation>
    </message>
    <message>
      <source>{verdict} ({dose}, after event {event} STALE): {reason}</source>
      <translation>{verdict}（{dose}，事件 {event} 后，已过时）：{reason}</translation>
    </message>
    <message>
      <source>leading dose: {dose}</source>
      <translation>为主的剂量：{dose}</translation>
    </message>
    <message>
      <source>{n} more seeds would make D90 {gy} of {wanted} Gy</source>
      <translation>再加 {n} 粒粒子可使 D90 达到 {gy} Gy（处方 {wanted} Gy）</translation>
    </message>
    <message>
      <source>returned</source>
      <translation>退回</translation>
    </message>
    <message>
      <source>assayed</source>
      <translation>送检</translation>
    </message>
    <message>
      <source>waste</source>
      <translation>废弃</translation>
    </message>
    <message>
      <source>serial number</source>
      <translation>序列号</translation>
    </message>
    <message>
      <source>on the label</source>
      <translation>标签上所示</translation>
    </message>
    <message>
      <source>with U or mCi</source>
      <translation>带 U 或 mCi</translation>
    </message>
    <message>
      <source>none</source>
      <translation>无</translation>
    </message>
    <message>
      <source>Check in</source>
      <translation>登记</translation>
    </message>
    <message>
      <source>Close with this count</source>
      <translation>按此数目结清</translation>
    </message>
    <message>
      <source>check in cartridge {serial}</source>
      <translation>登记弹夹 {serial}</translation>
    </message>
    <message>
      <source>{what}: {n} seeds of {u} U</source>
      <translation>{what}：{n} 粒，每粒 {u} U</translation>
    </message>
    <message>
      <source>close cartridge {serial}</source>
      <translation>结清弹夹 {serial}</translation>
    </message>
    <message>
      <source>cartridge</source>
      <translation>弹夹</translation>
    </message>
    <message>
      <source>seeds in it</source>
      <translation>其中粒子数</translation>
    </message>
    <message>
      <source>strength a seed</source>
      <translation>每粒强度</translation>
    </message>
    <message>
      <source>lot</source>
      <translation>批号</translation>
    </message>
    <message>
      <source>assay</source>
      <translation>测定值</translation>
    </message>
    <message>
      <source>the rest is</source>
      <translation>剩余处理</translation>
    </message>
    <message>
      <source>MAP: Monte Carlo (model-based, research) against TG-43</source>
      <translation>对照图：蒙特卡罗（基于模型，研究用）与 TG-43 相比</translation>
    </message>
    <message>
      <source>shown from {percent} % of the prescription, uncertainty up to {most} %</source>
      <translation>显示范围：处方剂量的 {percent} % 以上，不确定度不超过 {most} %</translation>
    </message>
    <message>
      <source>MC higher by {a} to {b} %</source>
      <translation>MC 高 {a} 至 {b} %</translation>
    </message>
    <message>
      <source>MC lower by more than {n} %</source>
      <translation>MC 低 {n} % 以上</translation>
    </message>
    <message>
      <source>MC higher by more than {n} %</source>
      <translation>MC 高 {n} % 以上</translation>
    </message>
    <message>
      <source>MC lower by {a} to {b} %</source>
      <translation>MC 低 {a} 至 {b} %</translation>
    </message>
    <message>
      <source>MAP: there is no model-based dose</source>
      <translation>对照图：没有基于模型的剂量</translation>
    </message>
    <message>
      <source>MAP IS STALE, the implant has changed since</source>
      <translation>对照图已过期，此后植入有变化</translation>
    </message>
    <message>
      <source>seed {number}</source>
      <translation>粒子 {number}</translation>
    </message>
    <message>
      <source>needle {number}</source>
      <translation>针 {number}</translation>
    </message>
    <message>
      <source>confirmed</source>
      <translation>已确认</translation>
    </message>
    <message>
      <source>moved</source>
      <translation>已移动</translation>
    </message>
    <message>
      <source>added</source>
      <translation>已添加</translation>
    </message>
    <message>
      <source>deleted</source>
      <translation>已删除</translation>
    </message>
    <message>
      <source>Patient, procedure and side or level confirmed</source>
      <translation>已确认患者、术式与侧别或节段</translation>
    </message>
    <message>
      <source>Consent signed</source>
      <translation>已签知情同意</translation>
    </message>
    <message>
      <source>Allergies and medication known (anticoagulants, sedation)</source>
      <translation>已知过敏与用药（抗凝、镇静）</translation>
    </message>
    <message>
      <source>Coagulation within the limits for this puncture</source>
      <translation>凝血在穿刺允许范围内</translation>
    </message>
    <message>
      <source>Planning images and plan of this patient on the screen</source>
      <translation>屏幕上为本患者的计划影像与计划</translation>
    </message>
    <message>
      <source>Seed strength and unit (U or mCi) read aloud against the certificate</source>
      <translation>对照证书朗读粒子强度与单位（U 或 mCi）</translation>
    </message>
    <message>
      <source>Seed count read aloud against the delivery note</source>
      <translation>对照送货单朗读粒子数</translation>
    </message>
    <message>
      <source>Survey meter there and working</source>
      <translation>辐射监测仪就位且正常</translation>
    </message>
    <message>
      <source>reason or note, where one is needed</source>
      <translation>理由或备注（需要时填写）</translation>
    </message>
    <message>
      <source>Let {dose} lead  {key}</source>
      <translation>改以{dose}为主  {key}</translation>
    </message>
    <message>
      <source>SURE? {dose} LEADS  {key}</source>
      <translation>确定？以{dose}为主  {key}</translation>
    </message>
    <message>
      <source>let {dose} lead</source>
      <translation>以{dose}为主</translation>
    </message>
    <message>
      <source>answer {answer}</source>
      <translation>回答 {answer}</translation>
    </message>
    <message>
      <source>seed through needle {needle}, drawn back {mm} mm: D90 {gy} Gy ({dose})</source>
      <translation>针 {needle} 回退 {mm} mm 一粒：D90 {gy} Gy（{dose}）</translation>
    </message>
    <message>
      <source>QUESTIONS AND CORRECTIONS</source>
      <translation>问题与更正</translation>
    </message>
    <message>
      <source>TIME-OUT</source>
      <translation>术前核查</translation>
    </message>
    <message>
      <source>ADVICE AND SIGNATURES</source>
      <translation>建议与签署</translation>
    </message>
    <message>
      <source>nothing is asked</source>
      <translation>没有问题</translation>
    </message>
    <message>
      <source>in order</source>
      <translation>符合</translation>
    </message>
    <message>
      <source>not</source>
      <translation>不符</translation>
    </message>
    <message>
      <source>no advice yet</source>
      <translation>尚无建议</translation>
    </message>
    <message>
      <source>take back</source>
      <translation>撤回</translation>
    </message>
    <message>
      <source>take back the supplementary seed</source>
      <translation>撤回补种粒子</translation>
    </message>
    <message>
      <source>sign</source>
      <translation>签署</translation>
    </message>
    <message>
      <source>sign as {role}</source>
      <translation>以 {role} 签署</translation>
    </message>
    <message>
      <source>accept</source>
      <translation>接受</translation>
    </message>
    <message>
      <source>accept the seed</source>
      <translation>接受该粒</translation>
    </message>
    <message>
      <source>MC research</source>
      <translation>MC 研究用</translation>
    </message>
    <message>
      <source>limit, by MC</source>
      <translation>限值（按 MC）</translation>
    </message>
    <message>
      <source>limit</source>
      <translation>限值</translation>
    </message>
    <message>
      <source>{n} more figures in the report</source>
      <translation>报告中另有 {n} 项</translation>
    </message>
    <message>
      <source>implant</source>
      <translation>植入</translation>
    </message>
    <message>
      <source>plan</source>
      <translation>计划</translation>
    </message>
    <message>
      <source>. plan: {n} seeds after event {event}, {how}</source>
      <translation>。计划：事件 {event} 后 {n} 粒，{how}</translation>
    </message>
    <message>
      <source>counted</source>
      <translation>计数</translation>
    </message>
    <message>
      <source>no dose before the plan is in the room</source>
      <translation>计划配准到现场之前没有剂量</translation>
    </message>
    <message>
      <source>EQD2 in all</source>
      <translation>累计 EQD2</translation>
    </message>
    <message>
      <source>{limit} kept</source>
      <translation>{limit} 符合</translation>
    </message>
    <message>
      <source>{limit} BELOW</source>
      <translation>{limit} 未达</translation>
    </message>
    <message>
      <source>{limit} ABOVE</source>
      <translation>{limit} 超出</translation>
    </message>
    <message>
      <source>no model-based dose (MC, research): {why}</source>
      <translation>没有基于模型的剂量（MC，研究用）：{why}</translation>
    </message>
    <message>
      <source>target</source>
      <translation>靶区</translation>
    </message>
    <message>
      <source>cord</source>
      <translation>脊髓</translation>
    </message>
    <message>
      <source>MC: model-based (Monte Carlo), research, dose to medium</source>
      <translation>MC：基于模型（蒙特卡罗），研究用，介质中介质剂量</translation>
    </message>
    <message>
      <source>uncertainty {reached}</source>
      <translation>不确定度 {reached}</translation>
    </message>
    <message>
      <source>{n} seeds after event {event}</source>
      <translation>事件 {event} 之后，{n} 粒</translation>
    </message>
    <message>
      <source>STALE, {origin}</source>
      <translation>已过期，{origin}</translation>
    </message>
    <message>
      <source>the model-based dose (MC, research) leads; none is at hand</source>
      <translation>以基于模型的剂量（MC，研究用）为主；目前没有该剂量</translation>
    </message>
    <message>
      <source>to water {figures}</source>
      <translation>水剂量 {figures}</translation>
    </message>
    <message>
      <source>CONVERGING</source>
      <translation>正在收敛</translation>
    </message>
    <message>
      <source>LEADS</source>
      <translation>为主</translation>
    </message>
    <message>
      <source>{line}: TG-43 implant, {standing}</source>
      <translation>{line}：TG-43 植入，{standing}</translation>
    </message>
    <message>
      <source>solid</source>
      <translation>实线</translation>
    </message>
    <message>
      <source>dotted</source>
      <translation>点线</translation>
    </message>
    <message>
      <source>{line}: MC (research), to medium</source>
      <translation>{line}：MC（研究用），对介质剂量</translation>
    </message>
    <message>
      <source>solid: MC (research), none at hand</source>
      <translation>实线：MC（研究用），目前没有</translation>
    </message>
    <message>
      <source>solid, faint</source>
      <translation>淡实线</translation>
    </message>
    <message>
      <source>dotted, faint</source>
      <translation>淡点线</translation>
    </message>
    <message>
      <source>{line}: MC (research), to medium, STALE</source>
      <translation>{line}：MC（研究用），对介质剂量，已过时</translation>
    </message>
    <message>
      <source>dose, Gy</source>
      <translation>剂量，Gy</translation>
    </message>
    <message>
      <source>volume, %</source>
      <translation>体积，%</translation>
    </message>
    <message>
      <source>dashed: TG-43 plan</source>
      <translation>虚线：TG-43 计划</translation>
    </message>
    <message>
      <source>on the side</source>
      <translation>侧卧</translation>
    </message>
    <message>
      <source>supine</source>
      <translation>仰卧</translation>
    </message>
    <message>
      <source>prone</source>
      <translation>俯卧</translation>
    </message>
    <message>
      <source>patient position not given</source>
      <translation>未给出体位</translation>
    </message>
    <message>
      <source>{lying}, ANATOMICAL: anterior up (T)</source>
      <translation>{lying}，解剖位：前方在上 (T)</translation>
    </message>
    <message>
      <source>slice {number}/{count}  z {z} mm</source>
      <translation>层 {number}/{count}  z {z} mm</translation>
    </message>
    <message>
      <source> STALE</source>
      <translation>（已过时）</translation>
    </message>
    <message>
      <source>{lying}, table below</source>
      <translation>{lying}，床在下</translation>
    </message>
    <message>
      <source>planned</source>
      <translation>计划</translation>
    </message>
    <message>
      <source>needle seen</source>
      <translation>所见针</translation>
    </message>
    <message>
      <source>supplementary seed, planned</source>
      <translation>计划中的补种粒子</translation>
    </message>
    <message>
      <source>needle seen on an earlier scan</source>
      <translation>早先扫描所见针</translation>
    </message>
    <message>
      <source>BLEND: plan orange, room blue, grey where they agree</source>
      <translation>融合：计划橙、现场蓝，一致处为灰</translation>
    </message>
    <message>
      <source>DIFFERENCE: room less plan; grey where they agree</source>
      <translation>相减：现场减计划；一致处为灰</translation>
    </message>
    <message>
      <source>bone</source>
      <translation>骨窗</translation>
    </message>
    <message>
      <source>soft tissue</source>
      <translation>软组织</translation>
    </message>
    <message>
      <source>lung</source>
      <translation>肺窗</translation>
    </message>
    <message>
      <source>liver</source>
      <translation>肝窗</translation>
    </message>
    <message>
      <source>brain</source>
      <translation>脑窗</translation>
    </message>
    <message>
      <source>metal</source>
      <translation>金属</translation>
    </message>
    <message>
      <source>spine</source>
      <translation>脊柱</translation>
    </message>
    <message>
      <source>wide</source>
      <translation>宽窗</translation>
    </message>
    <message>
      <source>fat</source>
      <translation>脂肪</translation>
    </message>
    <message>
      <source>the act of the step (twice where it asks)</source>
      <translation>本步骤的操作（询问时按两次）</translation>
    </message>
    <message>
      <source>permit seeds (twice)</source>
      <translation>许可植入（按两次）</translation>
    </message>
    <message>
      <source>END PERMIT, at once</source>
      <translation>立即结束许可</translation>
    </message>
    <message>
      <source>today's patients</source>
      <translation>今日患者</translation>
    </message>
    <message>
      <source>cartridges</source>
      <translation>弹夹</translation>
    </message>
    <message>
      <source>stop the work under way, or run it again</source>
      <translation>停止正在进行的工作，或重新运行</translation>
    </message>
    <message>
      <source>alarm seen</source>
      <translation>已看到报警</translation>
    </message>
    <message>
      <source>alarm sound paused or on</source>
      <translation>暂停 / 恢复报警声</translation>
    </message>
    <message>
      <source>keys, versions, about</source>
      <translation>按键、版本、关于</translation>
    </message>
    <message>
      <source>settings</source>
      <translation>设置</translation>
    </message>
    <message>
      <source>questions, time-out, advice, signatures</source>
      <translation>问题、核查、建议、签署</translation>
    </message>
    <message>
      <source>the dose that leads: TG-43 or model-based, research (twice)</source>
      <translation>为主的剂量：TG-43 或基于模型（研究用）（按两次）</translation>
    </message>
    <message>
      <source>English or Chinese</source>
      <translation>英文 / 中文</translation>
    </message>
    <message>
      <source>one slice headward</source>
      <translation>向头侧一层</translation>
    </message>
    <message>
      <source>one slice footward</source>
      <translation>向足侧一层</translation>
    </message>
    <message>
      <source>next needle</source>
      <translation>下一针</translation>
    </message>
    <message>
      <source>needle before</source>
      <translation>上一针</translation>
    </message>
    <message>
      <source>to the needle's tip</source>
      <translation>回到针尖</translation>
    </message>
    <message>
      <source>all views as at first</source>
      <translation>全部视图复位</translation>
    </message>
    <message>
      <source>measure distance and angle</source>
      <translation>测量距离与角度</translation>
    </message>
    <message>
      <source>table below or anterior up</source>
      <translation>床在下 / 前方在上</translation>
    </message>
    <message>
      <source>cine</source>
      <translation>连续播放</translation>
    </message>
    <message>
      <source>map of model-based dose (research) against TG-43</source>
      <translation>基于模型的剂量（研究用）与 TG-43 的对照图</translation>
    </message>
    <message>
      <source>blend or difference with the planning CT</source>
      <translation>与计划 CT 融合或相减</translation>
    </message>
    <message>
      <source>, </source>
      <translation>、</translation>
    </message>
    <message>
      <source>needle</source>
      <translation>针</translation>
    </message>
    <message>
      <source>tip mm</source>
      <translation>针尖 mm</translation>
    </message>
    <message>
      <source>depth mm</source>
      <translation>深度 mm</translation>
    </message>
    <message>
      <source>angle °</source>
      <translation>角度 °</translation>
    </message>
    <message>
      <source>clear mm</source>
      <translation>间距 mm</translation>
    </message>
    <message>
      <source>seeds</source>
      <translation>粒子</translation>
    </message>
    <message>
      <source>state</source>
      <translation>状态</translation>
    </message>
    <message>
      <source>needles: {scan}</source>
      <translation>针：{scan}</translation>
    </message>
    <message>
      <source>no scan shows it yet</source>
      <translation>尚无扫描显示</translation>
    </message>
    <message>
      <source>not seen</source>
      <translation>未见</translation>
    </message>
    <message>
      <source>not planned</source>
      <translation>非计划</translation>
    </message>
    <message>
      <source>too close</source>
      <translation>过近</translation>
    </message>
    <message>
      <source>done</source>
      <translation>完成</translation>
    </message>
    <message>
      <source>earlier</source>
      <translation>较早</translation>
    </message>
    <message>
      <source>seen</source>
      <translation>已见</translation>
    </message>
    <message>
      <source>needle {number}, earlier scan</source>
      <translation>针 {number}，早先扫描</translation>
    </message>
    <message>
      <source>needle {number}, as planned</source>
      <translation>针 {number}，按计划</translation>
    </message>
    <message>
      <source>needle {number}, as seen</source>
      <translation>针 {number}，实见</translation>
    </message>
    <message>
      <source>{mm} mm beside</source>
      <translation>旁开 {mm} mm</translation>
    </message>
    <message>
      <source>{mm} mm from the tip</source>
      <translation>距针尖 {mm} mm</translation>
    </message>
    <message>
      <source>case</source>
      <translation>病例</translation>
    </message>
    <message>
      <source>register</source>
      <translation>配准</translation>
    </message>
    <message>
      <source>needles</source>
      <translation>针</translation>
    </message>
    <message>
      <source>verify</source>
      <translation>核实</translation>
    </message>
    <message>
      <source>close</source>
      <translation>关闭</translation>
    </message>
    <message>
      <source>No needle yet</source>
      <translation>尚无针</translation>
    </message>
    <message>
      <source>no patient yet</source>
      <translation>尚无患者</translation>
    </message>
    <message>
      <source>plan not in the room yet</source>
      <translation>计划尚未配准到现场</translation>
    </message>
    <message>
      <source>no plan</source>
      <translation>无计划</translation>
    </message>
    <message>
      <source>plan {label}</source>
      <translation>计划 {label}</translation>
    </message>
    <message>
      <source>Needle {number} of {count}</source>
      <translation>针 {number} / {count}</translation>
    </message>
    <message>
      <source>case {id}</source>
      <translation>病例 {id}</translation>
    </message>
    <message>
      <source>● applicator {link}</source>
      <translation>● 植入器 {link}</translation>
    </message>
    <message>
      <source>AXIAL</source>
      <translation>轴位</translation>
    </message>
    <message>
      <source>no scan yet</source>
      <translation>尚无扫描</translation>
    </message>
    <message>
      <source>CORONAL</source>
      <translation>冠状位</translation>
    </message>
    <message>
      <source>SAGITTAL</source>
      <translation>矢状位</translation>
    </message>
    <message>
      <source>NEEDLE PLANE</source>
      <translation>针平面</translation>
    </message>
    <message>
      <source>no needle yet</source>
      <translation>尚无针</translation>
    </message>
    <message>
      <source>ALONG NEEDLE</source>
      <translation>沿针方向</translation>
    </message>
    <message>
      <source>residual {mm} mm on bone</source>
      <translation>骨面残差 {mm} mm</translation>
    </message>
    <message>
      <source>residual is being measured</source>
      <translation>正在测定残差</translation>
    </message>
    <message>
      <source>plan taken {planning}, room {room}: shown turned alike</source>
      <translation>计划扫描 {planning}，现场 {room}：同向显示</translation>
    </message>
    <message>
      <source>NOT YET APPLIED: {by} (Return applies)</source>
      <translation>尚未应用：{by}（回车应用）</translation>
    </message>
    <message>
      <source>arrows, Shift+arrows, [ ] move the plan</source>
      <translation>方向键、Shift+方向键、[ ] 移动计划</translation>
    </message>
    <message>
      <source>{what}: {s} s</source>
      <translation>{what}：{s} 秒</translation>
    </message>
    <message>
      <source>stop the work</source>
      <translation>停止工作</translation>
    </message>
    <message>
      <source>run it again</source>
      <translation>重新运行</translation>
    </message>
    <message>
      <source>Run again</source>
      <translation>重新运行</translation>
    </message>
    <message>
      <source> (+{n} more)</source>
      <translation>（另有 {n} 项）</translation>
    </message>
    <message>
      <source>stopping: {what}</source>
      <translation>正在停止：{what}</translation>
    </message>
    <message>
      <source>Stop</source>
      <translation>停止</translation>
    </message>
    <message>
      <source>slice {number}/{count}</source>
      <translation>层 {number}/{count}</translation>
    </message>
    <message>
      <source>measured {length}</source>
      <translation>测得 {length}</translation>
    </message>
    <message>
      <source>by hand</source>
      <translation>手动</translation>
    </message>
    <message>
      <source>MEASURE: click 2 points, a third for the angle (M ends)</source>
      <translation>测量：点两点测距，第三点测角（M 结束）</translation>
    </message>
    <message>
      <source>CINE (C stops)</source>
      <translation>连续播放（C 停止）</translation>
    </message>
    <message>
      <source>time</source>
      <translation>时间</translation>
    </message>
    <message>
      <source>patient</source>
      <translation>患者</translation>
    </message>
    <message>
      <source>ID</source>
      <translation>编号</translation>
    </message>
    <message>
      <source>born</source>
      <translation>出生</translation>
    </message>
    <message>
      <source>procedure</source>
      <translation>检查</translation>
    </message>
    <message>
      <source>accession</source>
      <translation>登记号</translation>
    </message>
    <message>
      <source>setting</source>
      <translation>设置</translation>
    </message>
    <message>
      <source>value</source>
      <translation>值</translation>
    </message>
    <message>
      <source>from</source>
      <translation>来源</translation>
    </message>
    <message>
      <source>a change holds</source>
      <translation>更改生效</translation>
    </message>
    <message>
      <source>NOT KEPT: {why}</source>
      <translation>未保存：{why}</translation>
    </message>
    <message>
      <source>Hear an alarm</source>
      <translation>试听报警</translation>
    </message>
    <message>
      <source>kept in {file}</source>
      <translation>保存于 {file}</translation>
    </message>
    <message>
      <source>no configuration file (--config)</source>
      <translation>没有配置文件（--config）</translation>
    </message>
    <message>
      <source>Not changed beside a patient: change the file, then start again.</source>
      <translation>治疗中不作更改：请修改文件后重新启动。</translation>
    </message>
    <message>
      <source>Keep</source>
      <translation>保存</translation>
    </message>
    <message>
      <source>{value} (after a restart)</source>
      <translation>{value}（重启后）</translation>
    </message>
    <message>
      <source>{value}; THIS CASE: {case}</source>
      <translation>{value}；本病例：{case}</translation>
    </message>
    <message>
      <source>Choose a setting</source>
      <translation>请选择一项设置</translation>
    </message>
    <message>
      <source>press the key or pedal</source>
      <translation>请按下按键或踏板</translation>
    </message>
    <message>
      <source>Choose a language below.</source>
      <translation>请在下方选择语言。</translation>
    </message>
    <message>
      <source>Kept.</source>
      <translation>已保存。</translation>
    </message>
    <message>
      <source>NOT CHANGED: {why}</source>
      <translation>未更改：{why}</translation>
    </message>
    <message>
      <source>Kept; holds after a restart.</source>
      <translation>已保存；重启后生效。</translation>
    </message>
    <message>
      <source>Screen, worklist</source>
      <translation>屏幕、工作列表</translation>
    </message>
    <message>
      <source>Keys, pedals</source>
      <translation>按键、踏板</translation>
    </message>
    <message>
      <source>Limits</source>
      <translation>限值</translation>
    </message>
    <message>
      <source>Cables, record</source>
      <translation>连接、记录</translation>
    </message>
    <message>
      <source>Seeds, dose</source>
      <translation>粒子、剂量</translation>
    </message>
    <message>
      <source>default</source>
      <translation>默认</translation>
    </message>
    <message>
      <source>file</source>
      <translation>文件</translation>
    </message>
    <message>
      <source>command line</source>
      <translation>命令行</translation>
    </message>
    <message>
      <source>at once</source>
      <translation>立即</translation>
    </message>
    <message>
      <source>after a restart</source>
      <translation>重启后</translation>
    </message>
    <message>
      <source>in the file alone</source>
      <translation>仅在文件中</translation>
    </message>
    <message>
      <source>yes</source>
      <translation>是</translation>
    </message>
    <message>
      <source>no</source>
      <translation>否</translation>
    </message>
    <message>
      <source>language</source>
      <translation>语言</translation>
    </message>
    <message>
      <source>worklist, AET@HOST:PORT</source>
      <translation>工作列表，AET@HOST:PORT</translation>
    </message>
    <message>
      <source>worklist: modality wanted</source>
      <translation>工作列表：所需设备类型</translation>
    </message>
    <message>
      <source>worklist: station wanted</source>
      <translation>工作列表：所需工作站</translation>
    </message>
    <message>
      <source>worklist: longest wait for an answer</source>
      <translation>工作列表：最长等待应答</translation>
    </message>
    <message>
      <source>least distance to an organ at risk</source>
      <translation>距危及器官最小距离</translation>
    </message>
    <message>
      <source>cord, largest dose (0: none set)</source>
      <translation>脊髓最大剂量（0：未设）</translation>
    </message>
    <message>
      <source>cord, hottest 0.1 cc (0: none set)</source>
      <translation>脊髓最热 0.1 cc（0：未设）</translation>
    </message>
    <message>
      <source>cord, EQD2 without an earlier course</source>
      <translation>脊髓 EQD2，无既往疗程</translation>
    </message>
    <message>
      <source>cord, EQD2 with an earlier course</source>
      <translation>脊髓 EQD2，有既往疗程</translation>
    </message>
    <message>
      <source>target, least V100</source>
      <translation>靶区最低 V100</translation>
    </message>
    <message>
      <source>least spacing of proposed seeds</source>
      <translation>建议粒子最小间距</translation>
    </message>
    <message>
      <source>seeds in one proposal, at most</source>
      <translation>一次建议最多粒子数</translation>
    </message>
    <message>
      <source>residual that needs a reason</source>
      <translation>需说明理由的残差</translation>
    </message>
    <message>
      <source>turn that needs a reason</source>
      <translation>需说明理由的转角</translation>
    </message>
    <message>
      <source>age of a plan that needs a word</source>
      <translation>需说明的计划时龄</translation>
    </message>
    <message>
      <source>days</source>
      <translation>天</translation>
    </message>
    <message>
      <source>items of the time-out</source>
      <translation>术前核查项目</translation>
    </message>
    <message>
      <source>no seeds while an item is open</source>
      <translation>有未核查项目时不许可粒子</translation>
    </message>
    <message>
      <source>who signs before the case is closed</source>
      <translation>关闭病例前由谁签名</translation>
    </message>
    <message>
      <source>listener: address</source>
      <translation>接收端：地址</translation>
    </message>
    <message>
      <source>listener: port</source>
      <translation>接收端：端口</translation>
    </message>
    <message>
      <source>our AE title</source>
      <translation>本机 AE 标题</translation>
    </message>
    <message>
      <source>listener: folder of the store</source>
      <translation>接收端：存储文件夹</translation>
    </message>
    <message>
      <source>listener: allowed callers</source>
      <translation>接收端：允许的呼叫方</translation>
    </message>
    <message>
      <source>TLS: certificate</source>
      <translation>TLS：证书</translation>
    </message>
    <message>
      <source>TLS: its key</source>
      <translation>TLS：其密钥</translation>
    </message>
    <message>
      <source>TLS: authorities of peers</source>
      <translation>TLS：对方的签发机构</translation>
    </message>
    <message>
      <source>a series is whole after quiet of</source>
      <translation>静默多久后序列视为完整</translation>
    </message>
    <message>
      <source>applicator: port</source>
      <translation>植入器：端口</translation>
    </message>
    <message>
      <source>record of all cases</source>
      <translation>全部病例的记录</translation>
    </message>
    <message>
      <source>seed models commissioned beyond the enabled</source>
      <translation>除已启用外另行验收的粒子型号</translation>
    </message>
    <message>
      <source>folders of the department's source files</source>
      <translation>本科室粒子数据文件夹</translation>
    </message>
    <message>
      <source>HU to density, by scanner</source>
      <translation>HU 至密度，按扫描机</translation>
    </message>
    <message>
      <source>scanners without a curve</source>
      <translation>无标定曲线的扫描机</translation>
    </message>
    <message>
      <source>model-based dose (research)</source>
      <translation>基于模型的剂量（研究用）</translation>
    </message>
    <message>
      <source>seed models for it, for research alone</source>
      <translation>其粒子型号（仅供研究）</translation>
    </message>
    <message>
      <source>its uncertainty wanted</source>
      <translation>其所需不确定度</translation>
    </message>
    <message>
      <source>its longest time</source>
      <translation>其最长时间</translation>
    </message>
    <message>
      <source>spacing of its grid</source>
      <translation>其网格间距</translation>
    </message>
    <message>
      <source>{n} s</source>
      <translation>{n} 秒</translation>
    </message>
    <message>
      <source>{n} min</source>
      <translation>{n} 分钟</translation>
    </message>
    <message>
      <source>{n} h</source>
      <translation>{n} 小时</translation>
    </message>
    <message>
      <source>{n} days</source>
      <translation>{n} 天</translation>
    </message>
    <message>
      <source>counted, in no scan yet</source>
      <translation>已计数，尚未扫描</translation>
    </message>
    <message>
      <source>counted, NOT SEEN</source>
      <translation>已计数，未见</translation>
    </message>
    <message>
      <source>seen, never counted</source>
      <translation>所见，从未计数</translation>
    </message>
    <message>
      <source>{time}, {age}</source>
      <translation>{time}，{age}</translation>
    </message>
    <message>
      <source>Each needle names its own scan under the pointer.</source>
      <translation>指针停在某针上即显示其所属扫描。</translation>
    </message>
    <message>
      <source>implant: {n} seeds after event {event}</source>
      <translation>植入：事件 {event} 后 {n} 粒</translation>
    </message>
    <message>
      <source>plan: {n} seeds after event {event}, as planned</source>
      <translation>计划：事件 {event} 后 {n} 粒，按计划</translation>
    </message>
    <message>
      <source>not accepted yet</source>
      <translation>尚未接受</translation>
    </message>
    <message>
      <source>EARLIER SCAN: {scan}</source>
      <translation>较早的扫描：{scan}</translation>
    </message>
    <message>
      <source>{n} counted, in no scan yet</source>
      <translation>{n} 粒已计数，尚未扫描</translation>
    </message>
    <message>
      <source>no seed yet</source>
      <translation>尚未植入粒子</translation>
    </message>
    <message>
      <source>{scan} + {n} counted</source>
      <translation>{scan} + 计数 {n} 粒</translation>
    </message>
    <message>
      <source>STALE {what}</source>
      <translation>已过时 {what}</translation>
    </message>
    <message>
      <source>registered on {scan}</source>
      <translation>配准于：{scan}</translation>
    </message>
    <message>
      <source>accepted by {name}</source>
      <translation>由 {name} 接受</translation>
    </message>
    <message>
      <source>of a scan that is not in this case</source>
      <translation>所属扫描不在本病例中</translation>
    </message>
    <message>
      <source>EARLIER {scan}</source>
      <translation>较早 {scan}</translation>
    </message>
    <message>
      <source>{seen} seen, {missing} not seen: {scan}</source>
      <translation>所见 {seen} 粒，未见 {missing} 粒：{scan}</translation>
    </message>
    <message>
      <source>{mm} mm from where it was counted</source>
      <translation>距计数位置 {mm} mm</translation>
    </message>
    <message>
      <source>confirmed by {name}</source>
      <translation>由 {name} 确认</translation>
    </message>
    <message>
      <source>counted: {n} seeds after event {event}, as counted</source>
      <translation>计数：事件 {event} 后 {n} 粒，按计数位置</translation>
    </message>
    <message>
      <source>MC (research): {n} seeds after event {event}; photons carried through {scan}</source>
      <translation>MC（研究用）：事件 {event} 后 {n} 粒；光子输运所用：{scan}</translation>
    </message>
    <message>
      <source>A seed has changed since this dose was computed.</source>
      <translation>自计算此剂量以来粒子已有变化。</translation>
    </message>
    <message>
      <source>a scan that is not in this case</source>
      <translation>不在本病例中的扫描</translation>
    </message>
    <message>
      <source>{n} as seen: {scan}</source>
      <translation>{n} 粒按所见：{scan}</translation>
    </message>
    <message>
      <source>{n} as counted</source>
      <translation>{n} 粒按计数</translation>
    </message>
    <message>
      <source>SOUND PAUSED</source>
      <translation>声音已暂停</translation>
    </message>
    <message>
      <source>Sound on</source>
      <translation>声音开</translation>
    </message>
    <message>
      <source>no alarm</source>
      <translation>无报警</translation>
    </message>
    <message>
      <source>Done: {what}.</source>
      <translation>已完成：{what}。</translation>
    </message>
    <message>
      <source>Not done: {what}: {why}.</source>
      <translation>未执行：{what}：{why}。</translation>
    </message>
    <message>
      <source>Seen</source>
      <translation>已看到</translation>
    </message>
    <message>
      <source>Research software, not a medical device</source>
      <translation>研究软件，非医疗器械</translation>
    </message>
    <message>
      <source>seed counted, not scanned yet</source>
      <translation>已计数、尚未扫描的粒子</translation>
    </message>
    <message>
      <source>seed seen in the scan</source>
      <translation>扫描中所见粒子</translation>
    </message>
    <message>
      <source>seed counted, not seen</source>
      <translation>已计数、未见的粒子</translation>
    </message>
    <message>
      <source>seed seen, never counted</source>
      <translation>所见、未计数的粒子</translation>
    </message>
    <message>
      <source>acknowledge the alarm</source>
      <translation>确认报警</translation>
    </message>
    <message>
      <source>REPLAY {what}</source>
      <translation>回放 {what}</translation>
    </message>
    <message>
      <source>move the registration</source>
      <translation>调整配准</translation>
    </message>
    <message>
      <source>tip</source>
      <translation>针尖</translation>
    </message>
    <message>
      <source>depth</source>
      <translation>深度</translation>
    </message>
    <message>
      <source>angle</source>
      <translation>角度</translation>
    </message>
    <message>
      <source>{n} s ago</source>
      <translation>{n} 秒前</translation>
    </message>
    <message>
      <source>{n} min ago</source>
      <translation>{n} 分钟前</translation>
    </message>
    <message>
      <source>{n} h ago</source>
      <translation>{n} 小时前</translation>
    </message>
    <message>
      <source>{n} days ago</source>
      <translation>{n} 天前</translation>
    </message>
    <message>
      <source>NO ANSWER FOR {n} s</source>
      <translation>{n} 秒无应答</translation>
    </message>
    <message>
      <source>NO ANSWER FOR {n} min</source>
      <translation>{n} 分钟无应答</translation>
    </message>
    <message>
      <source>NO ANSWER FOR {n} h</source>
      <translation>{n} 小时无应答</translation>
    </message>
    <message>
      <source>NO ANSWER FOR {n} days</source>
      <translation>{n} 天无应答</translation>
    </message>
    <message>
      <source>planning CT</source>
      <translation>计划 CT</translation>
    </message>
    <message>
      <source>needles CT</source>
      <translation>进针 CT</translation>
    </message>
    <message>
      <source>verification CT</source>
      <translation>核实 CT</translation>
    </message>
    <message>
      <source>absent</source>
      <translation>未连接</translation>
    </message>
    <message>
      <source>connecting</source>
      <translation>连接中</translation>
    </message>
    <message>
      <source>up</source>
      <translation>正常</translation>
    </message>
    <message>
      <source>lost</source>
      <translation>中断</translation>
    </message>
    <message>
      <source>refused</source>
      <translation>被拒绝</translation>
    </message>
    <message>
      <source>bone (scan)</source>
      <translation>骨（扫描）</translation>
    </message>
    <message>
      <source>gas (scan)</source>
      <translation>气体（扫描）</translation>
    </message>
    <message>
      <source>on plan</source>
      <translation>符合计划</translation>
    </message>
    <message>
      <source>off plan</source>
      <translation>偏离计划</translation>
    </message>
    <message>
      <source>FAR OFF PLAN</source>
      <translation>严重偏离计划</translation>
    </message>
    <message>
      <source>HIGH</source>
      <translation>高</translation>
    </message>
    <message>
      <source>MEDIUM</source>
      <translation>中</translation>
    </message>
    <message>
      <source>LOW</source>
      <translation>低</translation>
    </message>
    <message>
      <source>{purpose} received {time}, {age}</source>
      <translation>{purpose} 接收于 {time}，{age}</translation>
    </message>
    <message>
      <source>supplementary seed {number}, planned: needle {needle}, drawn back {mm} mm</source>
      <translation>计划中的补种粒子 {number}：针 {needle}，回退 {mm} mm</translation>
    </message>
    <message>
      <source>dropped of planned; {n} seen: {scan}</source>
      <translation>已植入/计划；所见 {n} 粒：{scan}</translation>
    </message>
    <message>
      <source>next seed at {mm} mm · spacing {spacing} mm</source>
      <translation>下一粒位于 {mm} mm · 间距 {spacing} mm</translation>
    </message>
    <message>
      <source>{n} received</source>
      <translation>接收 {n}</translation>
    </message>
    <message>
      <source>{n} seeds after event {event}; {method}</source>
      <translation>事件 {event} 后 {n} 粒；{method}</translation>
    </message>
    <message>
      <source>no scan</source>
      <translation>无扫描</translation>
    </message>
    <message>
      <source>{purpose} taken {time}, {age}</source>
      <translation>{purpose} 采集于 {time}，{age}</translation>
    </message>
    <message>
      <source>at depth</source>
      <translation>深度合适</translation>
    </message>
    <message>
      <source>too deep</source>
      <translation>过深</translation>
    </message>
    <message>
      <source>too shallow</source>
      <translation>过浅</translation>
    </message>
    <message>
      <source>ahead: {what}</source>
      <translation>前方：{what}</translation>
    </message>
    <message>
      <source>dropped of planned; not scanned yet</source>
      <translation>已植入 / 计划；尚未扫描</translation>
    </message>
    <message>
      <source>dropped of planned; {n} seen in the last scan</source>
      <translation>已植入 / 计划；末次扫描见 {n} 粒</translation>
    </message>
    <message>
      <source>ARMED: {n} of {of} to drop</source>
      <translation>已解锁：{of} 粒中还剩 {n} 粒</translation>
    </message>
    <message>
      <source>as of {time}</source>
      <translation>截至 {time}</translation>
    </message>
    <message>
      <source>last seed at {mm} mm</source>
      <translation>最后一粒位于 {mm} mm</translation>
    </message>
    <message>
      <source>{n} implanted</source>
      <translation>植入 {n}</translation>
    </message>
    <message>
      <source>{n} in cartridges</source>
      <translation>弹夹内 {n}</translation>
    </message>
    <message>
      <source>{n} returned</source>
      <translation>退回 {n}</translation>
    </message>
    <message>
      <source>{n} assayed</source>
      <translation>送检 {n}</translation>
    </message>
    <message>
      <source>{n} waste</source>
      <translation>废弃 {n}</translation>
    </message>
    <message>
      <source>{n} unresolved</source>
      <translation>未明 {n}</translation>
    </message>
    <message>
      <source>every seed has its place</source>
      <translation>每粒粒子去向明确</translation>
    </message>
    <message>
      <source>STALE, a seed has changed since: {origin}</source>
      <translation>已过时，其后粒子有变化：{origin}</translation>
    </message>
    <message>
      <source> (no longer so)</source>
      <translation>（已解除）</translation>
    </message>
    <message>
      <source> (seen by {name})</source>
      <translation>（{name} 已看到）</translation>
    </message>
    <message>
      <source>limit {limit} kept</source>
      <translation>符合限值 {limit}</translation>
    </message>
    <message>
      <source>TOO CLOSE, limit {limit}</source>
      <translation>过近，限值 {limit}</translation>
    </message>
    <message>
      <source>deeper</source>
      <translation>偏深</translation>
    </message>
    <message>
      <source>shallower</source>
      <translation>偏浅</translation>
    </message>
    <message>
      <source>LINK {link}</source>
      <translation>链路{link}</translation>
    </message>
    <message>
      <source>NOT ARMED</source>
      <translation>未解锁</translation>
    </message>
    <message>
      <source>ARMED</source>
      <translation>已解锁</translation>
    </message>
    <message>
      <source>cartridge {serial}, {n} left</source>
      <translation>弹夹 {serial}，剩 {n}</translation>
    </message>
    <message>
      <source>never heard</source>
      <translation>从未应答</translation>
    </message>
    <message>
      <source>{n} SEEDS UNRESOLVED</source>
      <translation>{n} 粒去向不明</translation>
    </message>
    <message>
      <source>ACCOUNT DOES NOT BALANCE</source>
      <translation>账目不平</translation>
    </message>
    <message>
      <source>no seeds yet</source>
      <translation>尚无粒子</translation>
    </message>
    <message>
      <source>nothing to compare it with</source>
      <translation>无可比较</translation>
    </message>
    <message>
      <source>{what} {mm} mm</source>
      <translation>{what} {mm} mm</translation>
    </message>
    <message>
      <source>tip in {what}</source>
      <translation>针尖位于{what}内</translation>
    </message>
    <message>
      <source>SURE? CASE {case} STAYS OPEN</source>
      <translation>确定？病例 {case} 保持打开</translation>
    </message>
    <message>
      <source>filter: name, ID, procedure</source>
      <translation>筛选：姓名、编号、检查</translation>
    </message>
    <message>
      <source>patient ID</source>
      <translation>患者编号</translation>
    </message>
    <message>
      <source>patient's name</source>
      <translation>患者姓名</translation>
    </message>
    <message>
      <source>TODAY'S PATIENTS</source>
      <translation>今日患者</translation>
    </message>
    <message>
      <source>BY HAND</source>
      <translation>手工</translation>
    </message>
    <message>
      <source>Not waited for. Ask again, or open by hand.</source>
      <translation>未再等待。可重新查询，或手工打开。</translation>
    </message>
    <message>
      <source>{n} scheduled; {name}, {time}</source>
      <translation>已安排 {n} 人；{name}，{time}</translation>
    </message>
    <message>
      <source>Open case: {whom}</source>
      <translation>打开病例：{whom}</translation>
    </message>
    <message>
      <source>Choose a patient</source>
      <translation>请选择患者</translation>
    </message>
    <message>
      <source>SURE? {whom}</source>
      <translation>确定？{whom}</translation>
    </message>
    <message>
      <source>Open by hand</source>
      <translation>手工打开</translation>
    </message>
    <message>
      <source>patient of the plan</source>
      <translation>计划中的患者</translation>
    </message>
    <message>
      <source>open the case: {whom}</source>
      <translation>打开病例：{whom}</translation>
    </message>
    <message>
      <source>Ask again</source>
      <translation>重新查询</translation>
    </message>
    <message>
      <source>Do not wait</source>
      <translation>不再等待</translation>
    </message>
    <message>
      <source>No worklist is named ([worklist] peer). Open by hand.</source>
      <translation>未指定工作列表（[worklist] peer）。请手工打开。</translation>
    </message>
    <message>
      <source>NO ANSWER: {why}. Open by hand.</source>
      <translation>无应答：{why}。请手工打开。</translation>
    </message>
    <message>
      <source>asking {name}… {s} s</source>
      <translation>正在查询 {name}… {s} 秒</translation>
    </message>
    <message>
      <source>SURE?</source>
      <translation>确定？</translation>
    </message>
  </context>
  <context>
    <name>core</name>
    <message>
      <source>set aside</source>
      <translation>搁置</translation>
    </message>
    <message>
      <source>event {a} of case {b} cannot follow event {c}</source>
      <translation>病例 {b} 的事件 {a} 不能接在事件 {c} 之后</translation>
    </message>
    <message>
      <source>case {a} has {b} events; there is no event {c}</source>
      <translation>病例 {a} 有 {b} 个事件；没有事件 {c}</translation>
    </message>
    <message>
      <source>There is no advice: {a}</source>
      <translation>没有建议：{a}</translation>
    </message>
    <message>
      <source>the leading dose is chosen by a named person; give a name</source>
      <translation>为主的剂量须由具名人员选定；请填写姓名</translation>
    </message>
    <message>
      <source>no dose is called {a}; choose {b}</source>
      <translation>没有名为 {a} 的剂量；请选择 {b}</translation>
    </message>
    <message>
      <source>the implant is signed or the case closed; the leading dose stands</source>
      <translation>植入已签署或病例已关闭；为主的剂量不再更改</translation>
    </message>
    <message>
      <source>{a} leads already</source>
      <translation>{a} 已为主</translation>
    </message>
    <message>
      <source>a supplementary seed is accepted by a named person; give a name</source>
      <translation>补种粒子须由具名人员接受；请填写姓名</translation>
    </message>
    <message>
      <source>the implant is verified; no seed is added to it</source>
      <translation>植入已核实；不再加粒</translation>
    </message>
    <message>
      <source>this advice is no longer the last; look at the new one</source>
      <translation>该建议已非最新；请看新建议</translation>
    </message>
    <message>
      <source>the implant has changed since this advice; wait for the new one</source>
      <translation>此建议之后植入有变；请等待新建议</translation>
    </message>
    <message>
      <source>this advice was weighed by {a}; wait for that by {b}</source>
      <translation>此建议按 {a} 权衡；请等待按 {b} 的建议</translation>
    </message>
    <message>
      <source>the advice proposes no seed {a}</source>
      <translation>建议中没有粒子 {a}</translation>
    </message>
    <message>
      <source>seed {a} of the advice was accepted before</source>
      <translation>建议的粒子 {a} 已接受</translation>
    </message>
    <message>
      <source>a supplementary seed is taken back by a named person; give a name</source>
      <translation>撤回补种粒子须由具名人员执行；请填写姓名</translation>
    </message>
    <message>
      <source>there is no supplementary seed {a}</source>
      <translation>没有补种粒子 {a}</translation>
    </message>
    <message>
      <source>supplementary seed {a} has been dropped</source>
      <translation>补种粒子 {a} 已植入</translation>
    </message>
    <message>
      <source>the applicator is armed; end the permit first</source>
      <translation>植入器已解锁；请先结束许可</translation>
    </message>
    <message>
      <source>a question is answered by a named person; give a name</source>
      <translation>须由具名人员回答；请填写姓名</translation>
    </message>
    <message>
      <source>nothing is asked under {a}</source>
      <translation>没有问题 {a}</translation>
    </message>
    <message>
      <source>answer one of: {a}</source>
      <translation>请从中选答：{a}</translation>
    </message>
    <message>
      <source>taking in what is in doubt needs a reason; give one</source>
      <translation>采用存疑内容须有理由；请填写</translation>
    </message>
    <message>
      <source>The scan {a} {b} than the scans before: the patient was moved or the table was set anew. Register to it anew (needles and seeds are carried over), or take it as the same frame if nobody moved?</source>
      <translation>扫描 {a} 与之前的扫描不同（{b}）：患者移动过或床面重新设定过。重新配准（针和粒子将随之转换），还是无人移动、视为同一坐标系？</translation>
    </message>
    <message>
      <source>Structure set {a} {b}. Use it all the same?</source>
      <translation>结构集 {a} {b}。仍要使用吗？</translation>
    </message>
    <message>
      <source>Plan {a} was made {b} days before this scan ({c}); the case allows {d}. The target may have grown. Use it all the same?</source>
      <translation>计划 {a} 制定于本次扫描 {b} 天前（{c}）；本病例允许 {d} 天。靶区可能已增大。仍要使用吗？</translation>
    </message>
    <message>
      <source>In the scan of the room {a} seem to be swapped: it matches the planning CT better turned by half about the axis from {b}. Patient position entered: planning CT {c}, this scan {d}. Set it aside, correct the position and scan again; or is the position right?</source>
      <translation>现场扫描中{a}似乎颠倒：绕{b}轴转半圈后与计划 CT 更吻合。录入的体位：计划 CT {c}，本次扫描 {d}。请搁置该扫描、更正体位后重新扫描；还是体位无误？</translation>
    </message>
    <message>
      <source>A second CT in the planning CT's frame of reference arrived ({a}). Is it a planning CT, or a scan of the room on the same table?</source>
      <translation>收到与计划 CT 同一坐标系的第二个 CT（{a}）。它是计划 CT，还是同一床面上的现场扫描？</translation>
    </message>
    <message>
      <source>register anew</source>
      <translation>重新配准</translation>
    </message>
    <message>
      <source>same frame</source>
      <translation>同一坐标系</translation>
    </message>
    <message>
      <source>planning CT</source>
      <translation>计划 CT</translation>
    </message>
    <message>
      <source>scan of the room</source>
      <translation>现场扫描</translation>
    </message>
    <message>
      <source>use it</source>
      <translation>使用</translation>
    </message>
    <message>
      <source>the position is right</source>
      <translation>体位无误</translation>
    </message>
    <message>
      <source>run it again</source>
      <translation>重新运行</translation>
    </message>
    <message>
      <source>leave it out</source>
      <translation>不计入</translation>
    </message>
    <message>
      <source>it is a seed</source>
      <translation>是粒子</translation>
    </message>
    <message>
      <source>{a} If it is this patient's, correct its Patient ID at the source and send again.</source>
      <translation>{a}若属于该患者，请在来源处更正患者 ID 后重新发送。</translation>
    </message>
    <message>
      <source>names no frame of reference</source>
      <translation>未注明坐标系</translation>
    </message>
    <message>
      <source>is in another frame of reference</source>
      <translation>坐标系不同</translation>
    </message>
    <message>
      <source>Plan {a} {b} and is held.</source>
      <translation>计划 {a} {b}，已暂缓。</translation>
    </message>
    <message>
      <source>was drawn on series {a}, not on the planning CT of this case</source>
      <translation>勾画于序列 {a}，而非本病例的计划 CT</translation>
    </message>
    <message>
      <source>was made {a}, before plan {b} that is in use ({c})</source>
      <translation>制定于 {a}，早于正在使用的计划 {b}（{c}）</translation>
    </message>
    <message>
      <source>lies in another frame of reference than the plan</source>
      <translation>与计划不在同一坐标系</translation>
    </message>
    <message>
      <source>arrived after the first seed</source>
      <translation>在第一粒粒子之后到达</translation>
    </message>
    <message>
      <source>was made on another structure set than {a}</source>
      <translation>所依据的结构集不是 {a}</translation>
    </message>
    <message>
      <source>case {a} is already open</source>
      <translation>病例 {a} 已打开</translation>
    </message>
    <message>
      <source>a case is opened by a named person; give a name</source>
      <translation>须由具名人员打开病例；请填写姓名</translation>
    </message>
    <message>
      <source>this case has the plan of patient {a}; it is not opened for patient {b}</source>
      <translation>本病例已有患者 {a} 的计划；不能为患者 {b} 打开</translation>
    </message>
    <message>
      <source>the time-out has no item {a}</source>
      <translation>核查单没有条目 {a}</translation>
    </message>
    <message>
      <source>an item that is not in order needs a note; say what is wrong</source>
      <translation>不合要求的条目须注明；请说明问题</translation>
    </message>
    <message>
      <source>Not in order: {a}.</source>
      <translation>不合要求：{a}。</translation>
    </message>
    <message>
      <source>the implant is not verified yet; it is signed after that</source>
      <translation>植入尚未核实；核实后签署</translation>
    </message>
    <message>
      <source>this case is signed by: {a}; not by {b}</source>
      <translation>本病例由 {a} 签署；不由 {b}</translation>
    </message>
    <message>
      <source>the {a} has signed already</source>
      <translation>{a} 已签署</translation>
    </message>
    <message>
      <source>{a} has signed in another role; another person must sign here</source>
      <translation>{a} 已以其他角色签署；此处须由他人签署</translation>
    </message>
    <message>
      <source>there is no analysed verification scan yet</source>
      <translation>尚无已分析的核实扫描</translation>
    </message>
    <message>
      <source>{a} seeds were dropped after the last verification scan; scan again</source>
      <translation>末次核实扫描后又植入 {a} 粒；请重新扫描</translation>
    </message>
    <message>
      <source>Cartridge {a}: {b} received, {c} implanted, {d} left; {e} not accounted for.</source>
      <translation>弹夹 {a}：接收 {b}，植入 {c}，剩余 {d}；{e} 粒不明。</translation>
    </message>
    <message>
      <source>the case is already closed</source>
      <translation>病例已关闭</translation>
    </message>
    <message>
      <source>cartridge {a} is not closed; count what is left</source>
      <translation>弹夹 {a} 未结清；请清点剩余</translation>
    </message>
    <message>
      <source>the case is not signed yet by: {a}</source>
      <translation>尚未签署：{a}</translation>
    </message>
    <message>
      <source>{a} seeds have no known place; the case closes only with a signed sentence</source>
      <translation>{a} 粒去向不明；须签署说明方可关闭病例</translation>
    </message>
    <message>
      <source>{a} by a named person; give a name</source>
      <translation>{a}：须由具名人员执行；请填写姓名</translation>
    </message>
    <message>
      <source>Cartridge {a} was assayed at {b} U a seed; the plan was made for {c} U.</source>
      <translation>弹夹 {a} 测定为每粒 {b} U；计划按 {c} U 制定。</translation>
    </message>
    <message>
      <source>Cartridge {a} has {b} U a seed; the plan was made for {c} U.</source>
      <translation>弹夹 {a} 为每粒 {b} U；计划按 {c} U 制定。</translation>
    </message>
    <message>
      <source>Cartridge {a} was not seen to leave the applicator, which is not proven empty. Take it out and count it before the instrument is cleaned.</source>
      <translation>未见弹夹 {a} 离开植入器，不能证明其已空。清洗器械前请取出并清点。</translation>
    </message>
    <message>
      <source>The applicator restarted (start {a}).</source>
      <translation>植入器已重启（第 {a} 次启动）。</translation>
    </message>
    <message>
      <source>Needle {a} is drawn back {b} mm; its next seed belongs at {c} mm. The stylet is locked until it is there.</source>
      <translation>针 {a} 已回退 {b} mm；下一粒应在 {c} mm。到位前推杆锁定。</translation>
    </message>
    <message>
      <source>The permit ended early: {a}.</source>
      <translation>许可提前结束：{a}。</translation>
    </message>
    <message>
      <source>Two seeds left at once through needle {a} (record {b}).</source>
      <translation>针 {a} 一次推出两粒（记录 {b}）。</translation>
    </message>
    <message>
      <source>A stroke through needle {a} delivered no seed (record {b}); {c} seeds remain in cartridge {d}.</source>
      <translation>针 {a} 一次推送未推出粒子（记录 {b}）；弹夹 {d} 剩 {c} 粒。</translation>
    </message>
    <message>
      <source>Whether a seed left through needle {a} is not known (record {b}). No seed is permitted until a person resolves it.</source>
      <translation>针 {a} 是否推出粒子不明（记录 {b}）。人工确认前不许可植入。</translation>
    </message>
    <message>
      <source>The applicator jammed ({a}). Stop; do not push again.</source>
      <translation>植入器卡住（{a}）。停止；勿再推送。</translation>
    </message>
    <message>
      <source>A sensor of the applicator is at fault: {a}.</source>
      <translation>植入器传感器故障：{a}。</translation>
    </message>
    <message>
      <source>Permit {a} is not in force: {b}</source>
      <translation>许可 {a} 未生效：{b}</translation>
    </message>
    <message>
      <source>The applicator recorded {a} {b}, which this version does not know.</source>
      <translation>植入器记录了本版本未知的 {a} {b}。</translation>
    </message>
    <message>
      <source>Cartridge {a} is in the applicator but was not checked in.</source>
      <translation>弹夹 {a} 已装入植入器但未登记。</translation>
    </message>
    <message>
      <source>Cartridge {a} should hold {b} seeds; the applicator counts {c}.</source>
      <translation>弹夹 {a} 应有 {b} 粒；植入器计数 {c}。</translation>
    </message>
    <message>
      <source>Cartridge {a} holds model {b}; the plan is for {c}.</source>
      <translation>弹夹 {a} 型号为 {b}；计划为 {c}。</translation>
    </message>
    <message>
      <source>Cartridge {a} came out with {b} seeds by the applicator's count; {c} are booked in it.</source>
      <translation>弹夹 {a} 取出时植入器计数 {b} 粒；账面 {c} 粒。</translation>
    </message>
    <message>
      <source>A seed left through needle {a} without a permit (record {b}).</source>
      <translation>针 {a} 未经许可推出一粒（记录 {b}）。</translation>
    </message>
    <message>
      <source>Seed {a} through needle {b} was dropped {c} mm behind its deepest point, where the plan has no seed left.</source>
      <translation>针 {b} 的粒子 {a} 落在最深点后 {c} mm，计划在此已无粒子。</translation>
    </message>
    <message>
      <source>A seed left through needle {a}, whose position is not known; it is counted but in no dose until a scan shows it.</source>
      <translation>针 {a} 推出一粒，位置不明；已计数，扫描显示前不计入剂量。</translation>
    </message>
    <message>
      <source>a stroke is resolved by a named person; give a name</source>
      <translation>须由具名人员确认推送结果；请填写姓名</translation>
    </message>
    <message>
      <source>record {a} is no stroke of unknown outcome</source>
      <translation>记录 {a} 不是结果不明的推送</translation>
    </message>
    <message>
      <source>the link to the applicator is {a}; try again</source>
      <translation>与植入器的链路为 {a}；请重试</translation>
    </message>
    <message>
      <source>Record {a} of the applicator cannot be read: {b} {c}. Reconcile by hand.</source>
      <translation>植入器记录 {a} 无法读取：{b} {c}。请人工核对。</translation>
    </message>
    <message>
      <source>seed {a} is not seen on the last scan; add it where it lies</source>
      <translation>末次扫描未见粒子 {a}；请在其位置添加</translation>
    </message>
    <message>
      <source>there is no seed {a}</source>
      <translation>没有粒子 {a}</translation>
    </message>
    <message>
      <source>there is no analysed verification scan to change seeds in</source>
      <translation>没有已分析的核实扫描可供修改粒子</translation>
    </message>
    <message>
      <source>tip and entry of a needle must differ</source>
      <translation>针尖与进针点不得相同</translation>
    </message>
    <message>
      <source>needle {a} is not seen on the last scan of needles</source>
      <translation>末次进针扫描未见针 {a}</translation>
    </message>
    <message>
      <source>seeds were dropped through needle {a}; it stays</source>
      <translation>针 {a} 已植入粒子；须保留</translation>
    </message>
    <message>
      <source>there is no analysed scan of needles to change needles in</source>
      <translation>没有已分析的进针扫描可供修改</translation>
    </message>
    <message>
      <source>a detection is changed by a named person for a reason; give both</source>
      <translation>修改检测须有姓名与理由；请填写</translation>
    </message>
    <message>
      <source>the case is closed</source>
      <translation>病例已关闭</translation>
    </message>
    <message>
      <source>journal record {a} of case {b} is a {c}, which this version does not know; open the case with the version that wrote it</source>
      <translation>病例 {b} 的记录 {a} 为 {c}，本版本不识；请用写入它的版本打开该病例</translation>
    </message>
    <message>
      <source>journal record {a} ({b}) cannot be read: {c}</source>
      <translation>记录 {a}（{b}）无法读取：{c}</translation>
    </message>
    <message>
      <source>Something like a seed is seen at ({a}) mm, {b} mm from the nearest counted seed{c}. It is left out until somebody says what it is.</source>
      <translation>在 ({a}) mm 处见到类似粒子之物，距最近的已计数粒子 {b} mm{c}。在有人说明之前不计入。</translation>
    </message>
    <message>
      <source>{a} of {b} counted seeds are not seen on the scan: {c}.</source>
      <translation>{b} 粒已计数粒子中 {a} 粒在扫描中未见：{c}。</translation>
    </message>
    <message>
      <source>{a} seeds are seen that were not counted, at {b} mm (LPS).</source>
      <translation>见到 {a} 粒未计数粒子，位于 {b} mm（LPS）。</translation>
    </message>
    <message>
      <source>Not where they were before: {a}.</source>
      <translation>已不在原位：{a}。</translation>
    </message>
    <message>
      <source>The plan could not be registered: {a}</source>
      <translation>计划无法配准：{a}</translation>
    </message>
    <message>
      <source>a registration is accepted by a named person; give a name</source>
      <translation>须由具名人员接受配准；请填写姓名</translation>
    </message>
    <message>
      <source>there is no registration to accept yet</source>
      <translation>尚无配准可接受</translation>
    </message>
    <message>
      <source>answer first whether the patient position of the scan is right</source>
      <translation>请先回答该扫描的体位是否正确</translation>
    </message>
    <message>
      <source>the registration is implausible: {a} Give a reason, move it by hand, or scan again</source>
      <translation>配准不可信：{a} 请说明理由、手动调整或重新扫描</translation>
    </message>
    <message>
      <source>the registration was moved; wait until its residual is measured</source>
      <translation>配准已调整；请等待残差测定</translation>
    </message>
    <message>
      <source>a registration is moved by a named person for a reason; give both</source>
      <translation>调整配准须有姓名与理由；请填写</translation>
    </message>
    <message>
      <source>there is no registration to move yet</source>
      <translation>尚无配准可调整</translation>
    </message>
    <message>
      <source>seeds have been dropped under this registration; scan again instead</source>
      <translation>已按此配准植入粒子；请重新扫描</translation>
    </message>
    <message>
      <source>a move by hand goes to {a} mm and {b} degrees; beyond that scan or plan again</source>
      <translation>手动调整限 {a} mm 与 {b} 度；超出请重新扫描或计划</translation>
    </message>
    <message>
      <source>Event {a} stands as it was recorded: {b}. This version would refuse it: {c}</source>
      <translation>事件 {a} 按记录保留：{b}。本版本会拒绝它：{c}</translation>
    </message>
    <message>
      <source>Cannot be used: {a}</source>
      <translation>无法使用：{a}</translation>
    </message>
    <message>
      <source>Needle {a} lies {b} mm from {c}; the limit is {d} mm.</source>
      <translation>针 {a} 距 {c} {b} mm；限值 {d} mm。</translation>
    </message>
    <message>
      <source>Needle {a}: {b} of its seeds would land nearer than {c} mm ({d}). The stylet is locked for them.</source>
      <translation>针 {a}：{b} 粒将落在 {c} mm 以内（{d}）。已对其锁定推杆。</translation>
    </message>
    <message>
      <source>A {a} object arrived ({b}); the procedure makes no use of it.</source>
      <translation>收到 {a} 对象（{b}）；本流程不使用。</translation>
    </message>
    <message>
      <source>Planned but not seen: needle {a}.</source>
      <translation>已计划但未见：针 {a}。</translation>
    </message>
    <message>
      <source>Seen but not in the plan: needle {a}.</source>
      <translation>可见但不在计划中：针 {a}。</translation>
    </message>
    <message>
      <source>the registration must be accepted before the needles are confirmed</source>
      <translation>确认针道前须先接受配准</translation>
    </message>
    <message>
      <source>answer first: {a}</source>
      <translation>请先回答：{a}</translation>
    </message>
    <message>
      <source>no needle has been seen yet; send a scan of the needles</source>
      <translation>尚未见针；请发送进针扫描</translation>
    </message>
    <message>
      <source>Open the case.</source>
      <translation>请打开病例。</translation>
    </message>
    <message>
      <source>Send from the planning system: {a}.</source>
      <translation>请从计划系统发送：{a}。</translation>
    </message>
    <message>
      <source>Check the registration (residual {a} mm) and accept it.</source>
      <translation>检查配准（残差 {a} mm）并接受。</translation>
    </message>
    <message>
      <source>Check the {a} needles seen, then confirm them or adjust and scan again.</source>
      <translation>检查所见的 {a} 根针，然后确认，或调整后重新扫描。</translation>
    </message>
    <message>
      <source>Permit the seeds of needle {a}.</source>
      <translation>许可针 {a} 的粒子。</translation>
    </message>
    <message>
      <source>, then every {a} mm</source>
      <translation>，之后每 {a} mm</translation>
    </message>
    <message>
      <source>Needle {a}: drop {b} more, next at {c} mm{d}.</source>
      <translation>针 {a}：再推 {b} 粒，下一粒在 {c} mm{d}。</translation>
    </message>
    <message>
      <source>{a} seeds seen. Check dose and seeds, then verify the implant or add seeds.</source>
      <translation>见到 {a} 粒。检查剂量与粒子，然后核实植入或补种。</translation>
    </message>
    <message>
      <source>Every seed has its place: close the case.</source>
      <translation>每粒粒子去向明确：可关闭病例。</translation>
    </message>
    <message>
      <source>Decide: {a}</source>
      <translation>请决定：{a}</translation>
    </message>
    <message>
      <source>Scan the patient with the needles in place.</source>
      <translation>进针后扫描患者。</translation>
    </message>
    <message>
      <source>The plan is being registered to the scan.</source>
      <translation>正在将计划配准到扫描。</translation>
    </message>
    <message>
      <source>The registration moved by hand is being measured.</source>
      <translation>正在测定手动调整后的配准。</translation>
    </message>
    <message>
      <source>The needles are being matched with the plan.</source>
      <translation>正在将针与计划匹配。</translation>
    </message>
    <message>
      <source>Resolve the stroke of unknown outcome before anything else.</source>
      <translation>请先确认结果不明的推送。</translation>
    </message>
    <message>
      <source>All planned seeds are counted: scan to verify.</source>
      <translation>计划粒子均已计数：请扫描核实。</translation>
    </message>
    <message>
      <source>Attach the applicator to the next needle.</source>
      <translation>将植入器连接到下一根针。</translation>
    </message>
    <message>
      <source>Needle {a}: every permitted seed has left.</source>
      <translation>针 {a}：许可的粒子已全部推出。</translation>
    </message>
    <message>
      <source>Needle {a}: drop {b} more, drawing back between seeds.</source>
      <translation>针 {a}：再推 {b} 粒，粒间回退。</translation>
    </message>
    <message>
      <source>The seeds are being looked for in the verification scan.</source>
      <translation>正在核实扫描中寻找粒子。</translation>
    </message>
    <message>
      <source>Closed by {a}.</source>
      <translation>由 {a} 关闭。</translation>
    </message>
    <message>
      <source>Count the seeds left in cartridge {a}.</source>
      <translation>清点弹夹 {a} 的剩余粒子。</translation>
    </message>
    <message>
      <source>Sign the implant: {a}.</source>
      <translation>请签署植入：{a}。</translation>
    </message>
    <message>
      <source>{a} seeds unresolved: find them or sign a sentence.</source>
      <translation>{a} 粒去向不明：请寻找或签署说明。</translation>
    </message>
    <message>
      <source>Reading a plan or structures</source>
      <translation>读取计划或结构</translation>
    </message>
    <message>
      <source>Looking for needles and seeds</source>
      <translation>寻找针与粒子</translation>
    </message>
    <message>
      <source>Registering the plan to the room</source>
      <translation>将计划配准到术中图像</translation>
    </message>
    <message>
      <source>Matching the needles with the plan</source>
      <translation>将针与计划匹配</translation>
    </message>
    <message>
      <source>Measuring the registration</source>
      <translation>测量配准残差</translation>
    </message>
    <message>
      <source>Weighing advice</source>
      <translation>权衡建议</translation>
    </message>
    <message>
      <source>The model-based dose</source>
      <translation>基于模型的剂量</translation>
    </message>
    <message>
      <source>it has not been read.</source>
      <translation>尚未读取。</translation>
    </message>
    <message>
      <source>the scan has not been looked at.</source>
      <translation>该扫描尚未检测。</translation>
    </message>
    <message>
      <source>the plan is not in the room's frame.</source>
      <translation>计划尚未进入术中坐标系。</translation>
    </message>
    <message>
      <source>the needles are not matched with the plan.</source>
      <translation>针尚未与计划匹配。</translation>
    </message>
    <message>
      <source>the residual of the moved registration is not known.</source>
      <translation>移动后配准的残差尚不知道。</translation>
    </message>
    <message>
      <source>there is no advice on the implant as it is.</source>
      <translation>对当前植入没有建议。</translation>
    </message>
    <message>
      <source>there is none of the implant as it is.</source>
      <translation>当前植入没有该剂量。</translation>
    </message>
    <message>
      <source>{a} broke off ({b}) and is tried once more.</source>
      <translation>{a}中断（{b}），正在重试一次。</translation>
    </message>
    <message>
      <source>work is stopped by a named person; give a name</source>
      <translation>停止工作须有姓名；请填写姓名</translation>
    </message>
    <message>
      <source>there is no such work to stop</source>
      <translation>没有可停止的这项工作</translation>
    </message>
    <message>
      <source>cartridge {a} was already received</source>
      <translation>弹夹 {a} 已登记</translation>
    </message>
    <message>
      <source>cartridge {a} with {b} seeds of {c} U cannot be received: serial, number and strength are needed</source>
      <translation>弹夹 {a}（{b} 粒，{c} U）无法登记：需要序列号、数目与强度</translation>
    </message>
    <message>
      <source>cartridge {a} has no stroke of unknown outcome</source>
      <translation>弹夹 {a} 没有结果不明的推送</translation>
    </message>
    <message>
      <source>there is no cartridge {a} in this case</source>
      <translation>本病例没有弹夹 {a}</translation>
    </message>
    <message>
      <source>cartridge {a} is still in the applicator; take it out first</source>
      <translation>弹夹 {a} 仍在植入器内；请先取出</translation>
    </message>
    <message>
      <source>cartridge {a} is already closed</source>
      <translation>弹夹 {a} 已结清</translation>
    </message>
    <message>
      <source>cartridge {a} cannot hold {b} seeds</source>
      <translation>弹夹 {a} 不可能有 {b} 粒</translation>
    </message>
    <message>
      <source>reading the plan</source>
      <translation>正在读取计划</translation>
    </message>
    <message>
      <source>reading the structures</source>
      <translation>正在读取结构</translation>
    </message>
    <message>
      <source>looking for needles and seeds</source>
      <translation>正在寻找针与粒子</translation>
    </message>
    <message>
      <source>registering the plan to the room</source>
      <translation>正在将计划配准到现场</translation>
    </message>
    <message>
      <source>matching the needles with the plan</source>
      <translation>正在匹配针与计划</translation>
    </message>
    <message>
      <source>measuring the registration</source>
      <translation>正在测定配准</translation>
    </message>
    <message>
      <source>weighing advice</source>
      <translation>正在权衡建议</translation>
    </message>
    <message>
      <source>model-based dose</source>
      <translation>基于模型的剂量</translation>
    </message>
    <message>
      <source>journal of case {a}: {b}</source>
      <translation>病例 {a} 的记录：{b}</translation>
    </message>
    <message>
      <source>no case is open at this moment; ask again</source>
      <translation>此刻没有打开的病例；请重试</translation>
    </message>
    <message>
      <source>the model-based dose is not computed here; see the settings</source>
      <translation>此处不计算基于模型的剂量；请看设置</translation>
    </message>
    <message>
      <source>Advice waits for the model-based dose of the implant as it is.</source>
      <translation>建议等待当前植入的基于模型的剂量。</translation>
    </message>
    <message>
      <source>Advice waits for the first seed: the model-based dose leads.</source>
      <translation>建议等待第一粒粒子：以基于模型的剂量为主。</translation>
    </message>
    <message>
      <source>Advice waits: the last scan has not been looked at.</source>
      <translation>建议等待：最近的扫描尚未查看。</translation>
    </message>
    <message>
      <source>Advice waits: the model-based dose leads, and was stopped.</source>
      <translation>建议等待：以基于模型的剂量为主，而其计算已停止。</translation>
    </message>
    <message>
      <source>configuration {a}: {b} must be a table, [{c}]</source>
      <translation>配置 {a}：{b} 须为表 [{c}]</translation>
    </message>
    <message>
      <source>{a} must be a list of texts</source>
      <translation>{a} 须为文本列表</translation>
    </message>
    <message>
      <source>{a} must be {b}, not {c}</source>
      <translation>{a} 须为 {b}，而非 {c}</translation>
    </message>
    <message>
      <source>listener.port must be 1 to 65535</source>
      <translation>listener.port 须为 1 至 65535</translation>
    </message>
    <message>
      <source>listener.ae_title must have 1 to 16 characters (PS3.5 AE)</source>
      <translation>listener.ae_title 须为 1 至 16 个字符（PS3.5 AE）</translation>
    </message>
    <message>
      <source>listener.quiet_s must be 0.1 to 60</source>
      <translation>listener.quiet_s 须为 0.1 至 60</translation>
    </message>
    <message>
      <source>ct.uncalibrated must be 'schneider' or 'refuse', not {a}</source>
      <translation>ct.uncalibrated 须为 'schneider' 或 'refuse'，而非 {a}</translation>
    </message>
    <message>
      <source>modelled.uncertainty_percent must be 0.1 to 50</source>
      <translation>modelled.uncertainty_percent 须为 0.1 至 50</translation>
    </message>
    <message>
      <source>modelled.time_limit_s must be above 0</source>
      <translation>modelled.time_limit_s 须大于 0</translation>
    </message>
    <message>
      <source>modelled.spacing_mm must be 0.5 to 5</source>
      <translation>modelled.spacing_mm 须为 0.5 至 5</translation>
    </message>
    <message>
      <source>worklist.peer must be AET@HOST:PORT, such as RIS@10.0.0.2:104, not {a}</source>
      <translation>worklist.peer 须写作 AET@HOST:PORT，如 RIS@10.0.0.2:104，而非 {a}</translation>
    </message>
    <message>
      <source>worklist.answer_s must be 1 to 120</source>
      <translation>worklist.answer_s 须为 1 至 120</translation>
    </message>
    <message>
      <source>configuration {a} cannot be read: {b}</source>
      <translation>配置 {a} 无法读取：{b}</translation>
    </message>
    <message>
      <source>configuration {a} is not TOML: {b}</source>
      <translation>配置 {a} 不是 TOML：{b}</translation>
    </message>
    <message>
      <source>configuration {a}: [{b}] is not known; there are {c}</source>
      <translation>配置 {a}：不识 [{b}]；有 {c}</translation>
    </message>
    <message>
      <source>configuration {a}: {b}.{c} is not known; [{d}] has {e}</source>
      <translation>配置 {a}：不识 {b}.{c}；[{d}] 有 {e}</translation>
    </message>
    <message>
      <source>configuration {a}: {b}</source>
      <translation>配置 {a}：{b}</translation>
    </message>
    <message>
      <source>{a}.{b} cannot be changed here; change the file by hand</source>
      <translation>{a}.{b} 无法在此更改；请手工修改文件</translation>
    </message>
    <message>
      <source>configuration {a} was not changed: {b}</source>
      <translation>配置 {a} 未更改：{b}</translation>
    </message>
    <message>
      <source>the configuration is not TOML: {a}</source>
      <translation>配置不是 TOML：{a}</translation>
    </message>
    <message>
      <source>another case is being opened already</source>
      <translation>正在打开另一病例</translation>
    </message>
    <message>
      <source>a permit is in force; end it before another case is opened</source>
      <translation>许可仍有效；打开另一病例前请先结束许可</translation>
    </message>
    <message>
      <source>the outcome of a stroke is not known; say what became of it before another case is opened</source>
      <translation>有一次推送结果不明；打开另一病例前请先说明其结果</translation>
    </message>
    <message>
      <source>the export was stopped</source>
      <translation>导出已停止</translation>
    </message>
    <message>
      <source>key {a}: there is no action {b}; there are {c}</source>
      <translation>按键 {a}：没有动作 {b}；有 {c}</translation>
    </message>
    <message>
      <source>key {a}: {b} is no key that can be given</source>
      <translation>按键 {a}：{b} 不是可指定的按键</translation>
    </message>
    <message>
      <source>key {a} is given to {b} and to {c}</source>
      <translation>按键 {a} 同时指定给 {b} 和 {c}</translation>
    </message>
    <message>
      <source>{a} is yes or no, not {b}</source>
      <translation>{a} 为是或否，而非 {b}</translation>
    </message>
    <message>
      <source>there is no setting {a}</source>
      <translation>没有设置 {a}</translation>
    </message>
    <message>
      <source>{a} must be a number, not {b}</source>
      <translation>{a} 须为数字，而非 {b}</translation>
    </message>
    <message>
      <source>{a} is changed in the file alone, and not during a case</source>
      <translation>{a} 仅在文件中更改，且不在病例进行中</translation>
    </message>
    <message>
      <source>there is no configuration file; start with --config FILE</source>
      <translation>没有配置文件；请用 --config FILE 启动</translation>
    </message>
    <message>
      <source>{a} cannot be reached, or speaks no DICOM</source>
      <translation>无法连接 {a}，或对方不支持 DICOM</translation>
    </message>
    <message>
      <source>{a} did not answer {b}: the association broke or time ran out</source>
      <translation>{a} 未应答 {b}：连接中断或超时</translation>
    </message>
    <message>
      <source>{a} rejected the association: it must know {b} and our address</source>
      <translation>{a} 拒绝连接：对方须登记 {b} 及本机地址</translation>
    </message>
    <message>
      <source>apparent activity must be positive, not {a} mCi</source>
      <translation>表观活度须为正，而非 {a} mCi</translation>
    </message>
    <message>
      <source>no conversion from mCi is known for {a}; give the strength in U</source>
      <translation>{a} 无 mCi 换算；请以 U 给出强度</translation>
    </message>
    <message>
      <source>the strength {a} cannot be read; write it as 0.6 U</source>
      <translation>强度 {a} 无法读取；请写作 0.6 U</translation>
    </message>
    <message>
      <source>the strength {a} has no unit; write U, mCi or MBq behind it</source>
      <translation>强度 {a} 没有单位；请在其后写 U、mCi 或 MBq</translation>
    </message>
    <message>
      <source>the unit {a} is not known; write U, mCi or MBq</source>
      <translation>不识单位 {a}；请写 U、mCi 或 MBq</translation>
    </message>
    <message>
      <source>the plan is not here, so its nuclide is not known; write the strength in U</source>
      <translation>计划未到，核素不明；请以 U 给出强度</translation>
    </message>
    <message>
      <source>{a} U is no strength of a seed (above 0, at most {b})</source>
      <translation>{a} U 不是粒子的强度（须大于 0，至多 {b}）</translation>
    </message>
    <message>
      <source>TG-43 2D line source, {a}, water in water, {b}</source>
      <translation>TG-43 二维线源，{a}，水中水，{b}</translation>
    </message>
    <message>
      <source>TG-43 line source, {a} seeds as point sources, {b}, water in water, {c}</source>
      <translation>TG-43 线源，{a} 粒按点源，{b}，水中水，{c}</translation>
    </message>
    <message>
      <source>seeds as seen, else as counted</source>
      <translation>粒子按所见，否则按计数</translation>
    </message>
    <message>
      <source>seeds as planned</source>
      <translation>粒子按计划</translation>
    </message>
    <message>
      <source>{a} answered C-FIND with {b}: {c}</source>
      <translation>{a} 对 C-FIND 应答 {b}：{c}</translation>
    </message>
    <message>
      <source>{a} was stopped by {b}; {c}</source>
      <translation>{a}已由 {b} 停止；{c}</translation>
    </message>
    <message>
      <source>{a} broke off twice ({b}); {c}</source>
      <translation>{a}两次中断（{b}）；{c}</translation>
    </message>
    <message>
      <source>its process was ended by {a}</source>
      <translation>其进程被 {a} 终止</translation>
    </message>
    <message>
      <source>its process ended with code {a}</source>
      <translation>其进程以代码 {a} 结束</translation>
    </message>
    <message>
      <source>head and feet, left and right</source>
      <translation>头足与左右</translation>
    </message>
    <message>
      <source>head and feet, front and back</source>
      <translation>头足与前后</translation>
    </message>
    <message>
      <source>front and back, left and right</source>
      <translation>前后与左右</translation>
    </message>
    <message>
      <source>front to back</source>
      <translation>前后</translation>
    </message>
    <message>
      <source>left to right</source>
      <translation>左右</translation>
    </message>
    <message>
      <source>head to feet</source>
      <translation>头足</translation>
    </message>
    <message>
      <source>The cord receives up to {a} Gy (cumulative EQD2 {b} Gy); the case's limit is {c} Gy.</source>
      <translation>脊髓最高将受 {a} Gy（累计 EQD2 {b} Gy）；本病例限值 {c} Gy。</translation>
    </message>
    <message>
      <source>D0.1cc of the cord is {a} Gy; the case's limit is {b} Gy.</source>
      <translation>脊髓 D0.1cc 为 {a} Gy；本病例限值 {b} Gy。</translation>
    </message>
    <message>
      <source>The target is covered: {a}. No further seed is needed for it.</source>
      <translation>靶区已覆盖：{a}。无需再加粒子。</translation>
    </message>
    <message>
      <source>With the {a} planned seeds still to come, {b}.</source>
      <translation>计划中尚余的 {a} 粒植入后，{b}。</translation>
    </message>
    <message>
      <source>With the planned seeds still to come, {a}</source>
      <translation>计划中尚余的粒子植入后，{a}</translation>
    </message>
    <message>
      <source>D90 is {a} Gy of {b} Gy and V100 {c} %</source>
      <translation>D90 为 {a} Gy（处方 {b} Gy），V100 为 {c} %</translation>
    </message>
    <message>
      <source>{a}; {b} cc around ({c}) mm, {d} mm from needle {e} are cold, down to {f} Gy</source>
      <translation>{a}；({c}) mm 周围 {b} cc（距针 {e} 为 {d} mm）剂量不足，最低 {f} Gy</translation>
    </message>
    <message>
      <source>{a}; {b} cc around ({c}) mm are cold, down to {d} Gy</source>
      <translation>{a}；({c}) mm 周围 {b} cc 剂量不足，最低 {d} Gy</translation>
    </message>
    <message>
      <source>{a}. Every reachable seed would take the cord over {b} Gy.</source>
      <translation>{a}。可及位置的任何粒子都会使脊髓超过 {b} Gy。</translation>
    </message>
    <message>
      <source>{a}. No place through the needles in place would mend it{b}: consider another needle there.</source>
      <translation>{a}。现有针道内没有可弥补的位置{b}：请考虑在该处另进一针。</translation>
    </message>
    <message>
      <source>{a}. {b} more seed through needle {c} would make it D90 {d} Gy and V100 {e} %{f}.</source>
      <translation>{a}。再经针 {c} 植入 {b} 粒，可使 D90 达 {d} Gy、V100 达 {e} %{f}。</translation>
    </message>
    <message>
      <source>{a}. {b} more seeds through needle {c} would make it D90 {d} Gy and V100 {e} %{f}.</source>
      <translation>{a}。再经针 {c} 植入 {b} 粒，可使 D90 达 {d} Gy、V100 达 {e} %{f}。</translation>
    </message>
    <message>
      <source>; no cord is drawn, so its dose is not known</source>
      <translation>；未勾画脊髓，其剂量未知</translation>
    </message>
    <message>
      <source>; the cord's largest dose goes from {a} to {b} Gy (limit {c} Gy, cumulative EQD2 {d} Gy)</source>
      <translation>；脊髓最高剂量由 {a} Gy 升至 {b} Gy（限值 {c} Gy，累计 EQD2 {d} Gy）</translation>
    </message>
    <message>
      <source>structure set</source>
      <translation>结构集</translation>
    </message>
    <message>
      <source>plan</source>
      <translation>计划</translation>
    </message>
    <message>
      <source>model-based, research</source>
      <translation>基于模型（研究用）</translation>
    </message>
    <message>
      <source>the model-based dose leads and cannot be had. {a}</source>
      <translation>以基于模型的剂量为主，但无法得到。{a}</translation>
    </message>
    <message>
      <source>It is not computed here.</source>
      <translation>此处不计算。</translation>
    </message>
    <message>
      <source>There is no calibration curve for {a}; add one to ct.calibrations in the configuration, or set ct.uncalibrated to 'schneider'.</source>
      <translation>没有 {a} 的校准曲线；请在配置的 ct.calibrations 中添加一条，或把 ct.uncalibrated 设为 'schneider'。</translation>
    </message>
  </context>
</TS>

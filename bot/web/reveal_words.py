"""What the desk says about private values: their kinds, and how one is revealed."""

WORDS: dict[str, tuple[str, str]] = {
    "reveal": ("Reveal", "显示"),
    "reveal_value": ("Reveal {}", "显示：{}"),
    "reveal_message": ("Reveal this message", "显示此消息原文"),
    "reveal_lead": (
        "Only you see it, in this tab, for one minute. Who looked and why is kept in the audit log.",
        "仅您本人可在此标签页中查看一分钟。查看人和原因会记入审计日志。",
    ),
    "reveal_reason": ("Reason, for the audit log", "原因（记入审计日志）"),
    "reveal_example": ("To call about a late parcel", "例如：致电客户核实延误的包裹"),
    "reveal_hint": ("Private value. Choose it to reveal it.", "私密信息，点击可显示"),
    "reveal_no_right": (
        "Private value. An admin can give you the right to reveal it.",
        "私密信息。管理员可授予您查看权限。",
    ),
    "reveal_no_reason": ("Give a reason of 5 to 200 characters.", "请填写 5 至 200 个字符的原因。"),
    "reveal_often": ("You have revealed a lot. Please wait a while.", "您查看得过于频繁，请稍候。"),
    "reveal_gone": ("This is no longer kept.", "此内容已不再保留。"),
    "revealed": ("Revealed", "查看记录"),
    "revealed_message": ("A message", "一条消息"),
    "original": ("Original, shown only to you", "原文，仅您可见"),
    "hide": ("Hide", "隐藏"),
    "kind_EMAIL": ("E-mail", "邮箱"),
    "kind_PHONE": ("Phone", "电话"),
    "kind_CARD": ("Card", "卡号"),
    "kind_BANK": ("Bank account", "银行账户"),
    "kind_NATIONAL_ID": ("National id", "证件号"),
    "kind_IP": ("IP address", "IP 地址"),
    "kind_PERSON": ("Name", "姓名"),
    "kind_ADDRESS": ("Address", "地址"),
    "kind_BIRTHDATE": ("Birth date", "出生日期"),
    "kind_SECRET": ("Secret", "密码"),
    "kind_PRIVATE": ("Private", "私密"),
}
# What scripts say, beside the kinds.
SCRIPTS = {
    *("reveal_value", "reveal_message", "reveal_hint", "reveal_no_right", "reveal_no_reason", "reveal_gone"),
    *("original", "hide"),
}

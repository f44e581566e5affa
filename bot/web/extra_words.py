"""What the desk says about a customer's allowance, and about giving more of it."""

WORDS: dict[str, tuple[str, str]] = {
    "allowance": ("Allowance", "额度"),
    "allowance_none": (
        "No limit: this customer may ask as much as they like.",
        "无限制：此客户可以随意提问。",
    ),
    "allowance_used": ("{} of {} used", "已用 {} / {}"),
    "allowance_resets": ("Begins anew {}", "{} 重新计算"),
    "allowance_begins": ("Begins with the next message", "从下一条消息开始计算"),
    "allowance_ends": ("Ends {}", "{} 到期"),
    "allowance_out": (
        "Used up: only prepared answers, help pages and you.",
        "额度已用完：仅有预设回答、帮助文档和人工服务。",
    ),
    "allowance_stopped": (
        "All spending is stopped: only prepared answers, help pages and you.",
        "已停止一切支出：仅有预设回答、帮助文档和人工服务。",
    ),
    "extra_give": ("Give extra messages", "赠送额外消息"),
    "extra_title": ("Give {} extra messages?", "为 {} 赠送额外消息？"),
    "extra_lead": (
        "They are used when the customer's own allowance is full. What is left at the end is gone. "
        "Who gave them and why is kept in the audit log.",
        "客户自身额度用完后使用，到期未用完则作废。赠送人和原因会记入审计日志。",
    ),
    "extra_messages": ("Messages", "消息数量"),
    "extra_days": ("To be used", "有效期"),
    "extra_until_reset": ("until the allowance begins anew", "直到额度重新计算"),
    "extra_one_day": ("within a day", "1 天内"),
    "extra_some_days": ("within {} days", "{} 天内"),
    "extra_reason_hint": ("The parcel came late", "例如：包裹延误"),
    "extra_yes": ("Give", "赠送"),
    "extra_given": ("Given. The customer can go on.", "已赠送，客户可以继续提问。"),
    "extra_given_stopped": (
        "Given. It can be used once spending is allowed again.",
        "已赠送，恢复支出后即可使用。",
    ),
    "extra_bad_amount": (
        "Give 1 to 50 messages; an admin can give more.",
        "请赠送 1 至 50 条；管理员可赠送更多。",
    ),
    "extra_bad_days": (
        "Choose at most 31 days; an admin can give longer.",
        "最长 31 天；管理员可设置更长时间。",
    ),
}

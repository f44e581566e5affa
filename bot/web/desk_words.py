"""What the desk says to staff, in their language."""

from django.utils import translation

from bot.web import choice_words, extra_words, reveal_words, rights_words

_WORDS: dict[str, tuple[str, str]] = {
    # Signing in
    "sign_in": ("Sign in", "登录"),
    "sign_in_lead": ("Answer customers and see what the assistant does.", "回复客户，查看智能助手的工作。"),
    "email": ("E-mail", "邮箱"),
    "password": ("Password", "密码"),
    "sign_in_wrong": ("That e-mail and password do not match.", "邮箱或密码不正确。"),
    "sign_in_often": (
        "Too many failed attempts. Please wait 15 minutes, then try again.",
        "失败次数过多，请等待 15 分钟后再试。",
    ),
    "sign_out": ("Sign out", "退出登录"),
    # Frame
    "desk": ("Desk", "工作台"),
    "inbox": ("Inbox", "收件箱"),
    "views": ("Views", "视图"),
    "settings": ("Settings", "设置"),
    "theme": ("Appearance", "外观"),
    "theme_system": ("System", "跟随系统"),
    "theme_light": ("Light", "浅色"),
    "theme_dark": ("Dark", "深色"),
    "language": ("Language", "语言"),
    "account": ("Account", "账户"),
    "shortcuts": ("Keyboard shortcuts", "键盘快捷键"),
    "skip": ("Skip to the conversation", "跳到对话"),
    "live": ("Live", "实时"),
    "connecting": ("Connecting…", "正在连接…"),
    "offline": ("Connection lost. Trying again…", "连接已断开，正在重试…"),
    "dismiss": ("Dismiss", "关闭提示"),
    "back": ("Back to the inbox", "返回收件箱"),
    "spending_stopped": ("All spending is stopped by", "所有模型支出已停止，操作人："),
    "spending_stopped_means": ("Customers are answered without a model.", "客户收到的是不经模型的回复。"),
    # List
    "open": ("Open", "进行中"),
    "waiting": ("Waiting", "待接入"),
    "mine": ("Mine", "我的"),
    "closed": ("Closed", "已结束"),
    "all": ("All", "全部"),
    "search": ("E-mail, phone, order or id…", "邮箱、电话、订单号或编号…"),
    "search_label": (
        "Find a customer by exact e-mail, phone number, order number or id",
        "按完整的邮箱、电话、订单号或编号查找客户",
    ),
    "conversations": ("Conversations", "对话"),
    "conversation": ("Conversation", "对话"),
    "show_more": ("Show more", "显示更多"),
    "visitor": ("Visitor", "访客"),
    "anonymous": ("Anonymous", "匿名"),
    "verified": ("Verified", "已验证"),
    "by_bot": ("Assistant", "助手"),
    "by_you": ("You", "您"),
    "by_agent": ("Agent", "客服"),
    "waiting_for": ("waiting", "等待"),
    "needs_reply": ("Needs a reply", "待回复"),
    "nothing_said": ("Nothing said yet", "尚无消息"),
    "empty_open": ("All quiet", "一切安静"),
    "empty_open_lead": ("New conversations appear here by themselves.", "新的对话会自动出现在这里。"),
    "empty_waiting": ("Nobody is waiting", "没有客户在等待"),
    "empty_waiting_lead": (
        "Customers who ask for a person appear here first.",
        "请求人工服务的客户会首先出现在这里。",
    ),
    "empty_mine": ("You have no conversations", "您还没有对话"),
    "empty_mine_lead": (
        "Take one over and it stays here until you give it back.",
        "接手后的对话会保留在这里。",
    ),
    "empty_closed": ("No closed conversations", "没有已结束的对话"),
    "empty_closed_lead": ("Conversations that ended are kept here.", "已结束的对话会保留在这里。"),
    "empty_search": ("Nobody found", "没有找到"),
    "empty_search_lead": (
        "E-mail, phone, order number and customer id have to match exactly; "
        "of a visitor’s number the beginning is enough.",
        "邮箱、电话、订单号和客户编号必须完全一致；访客编号只需开头部分。",
    ),
    "search_often": ("Too many searches", "搜索过于频繁"),
    "search_often_lead": ("Please wait a while, then try again.", "请稍候再试。"),
    "choose": ("Choose a conversation", "选择一个对话"),
    "choose_lead": (
        "Read along as the assistant answers, and take over whenever a person should.",
        "您可以实时查看助手的回答，并在需要时接手。",
    ),
    # Conversation
    "state_bot": ("Assistant answers", "助手回答中"),
    "state_queue": ("Waiting for a person", "等待人工"),
    "state_mine": ("With you", "由您接待"),
    "state_other": ("With {}", "由 {} 接待"),
    "state_closed": ("Closed", "已结束"),
    "take_over": ("Take over", "接手"),
    "take_anyway": ("Take over from {}", "从 {} 接手"),
    "take_sure": (
        "{} is talking to this customer. Take the conversation over?",
        "{} 正在接待此客户，确定要接手吗？",
    ),
    "hand_back": ("Hand back", "交还助手"),
    "close": ("Close", "结束"),
    "close_sure": (
        "Close this conversation? The customer can start a new one.",
        "结束此对话？客户可以重新发起。",
    ),
    "cancel": ("Cancel", "取消"),
    "details": ("Details", "详情"),
    "messages": ("Messages", "消息"),
    "earlier": ("Show earlier messages", "显示更早的消息"),
    "hidden": ("Private value, hidden from staff and models", "私密信息，已对客服和模型隐藏"),
    "not_scrubbed": ("Not yet checked for private details", "尚未完成隐私检查"),
    "sources": ("Sources", "来源"),
    "rated_up": ("The customer found this helpful", "客户认为有帮助"),
    "rated_down": ("The customer did not find this helpful", "客户认为没有帮助"),
    "card": ("Card", "卡片"),
    "working": ("Working", "处理中"),
    "asks": ("Asked the customer to approve", "已请求客户确认"),
    "no_text": ("No text was shown", "未显示文本"),
    # How a reply came about
    "how": ("How this answer came about", "此回答的来源"),
    "source_model": ("Model", "模型"),
    "source_cache": ("Cached answer", "缓存回答"),
    "source_canned": ("Canned reply", "预设回答"),
    "source_passage": ("Help page", "帮助文档"),
    "source_promise": ("Promise", "稍后答复"),
    "source_system": ("System", "系统"),
    "source_staff": ("Staff", "人工"),
    "tokens": ("tokens", "tokens"),
    "tokens_title": ("Tokens in → out", "tokens：输入 → 输出"),
    "cost_title": ("Cost in US dollars", "费用（美元）"),
    "first_text": ("first text", "首字"),
    "first_text_title": ("Time until the first text was shown", "显示首段文本所用时间"),
    "total_title": ("Time until the reply was complete", "完成回答所用时间"),
    "seconds": ("s", "秒"),
    "outcome_degraded": ("Degraded", "降级回答"),
    "outcome_awaiting_approval": ("Asked for approval", "请求确认"),
    "outcome_stopped": ("Stopped", "已停止"),
    "outcome_handed_over": ("Handed over", "已转接"),
    "outcome_failed": ("Failed", "失败"),
    "tool_proposed": ("awaits approval", "等待确认"),
    "tool_approved": ("approved", "已同意"),
    "tool_started": ("running", "执行中"),
    "tool_done": ("done", "完成"),
    "tool_failed": ("failed", "失败"),
    "tool_declined": ("declined", "已拒绝"),
    "tool_expired": ("expired", "已过期"),
    # Details
    "customer": ("Customer", "客户"),
    "site": ("Site", "网站"),
    "tier": ("Tier", "等级"),
    "locale": ("Language", "语言"),
    "locale_en": ("English", "英语"),
    "locale_zh": ("Chinese", "中文"),
    "opened": ("Opened", "开始于"),
    "active": ("Last active", "最近活动"),
    "reason": ("Reason", "原因"),
    "use": ("Assistant's work", "助手用量"),
    "turns": ("Answers", "回答次数"),
    "cost": ("Cost", "费用"),
    "reason_customer_request": ("Customer asked for a person", "客户请求人工"),
    "reason_missing_knowledge": ("Nothing known about it", "知识不足"),
    "reason_unsupported_request": ("Cannot be done by the assistant", "助手无法办理"),
    "reason_policy": ("Policy", "政策要求"),
    "reason_tool_failure": ("A tool failed", "工具出错"),
    "reason_usage_limit": ("Allowance used up", "额度用完"),
    "reason_model_down": ("Model unreachable", "模型不可用"),
    "reason_spending_stopped": ("All spending is stopped", "已停止一切支出"),
    "reason_unpriced": ("No model of known price", "没有已知价格的模型"),
    "reason_busy": ("Too many were waiting", "等待人数过多"),
    # Composer
    "reply_label": ("Your reply", "您的回复"),
    "reply_hint": ("Write a reply…", "输入回复…"),
    "reply_locale_en": ("Write a reply in English…", "请用英语回复…"),
    "reply_locale_zh": ("Write a reply in Chinese…", "请用中文回复…"),
    "send": ("Send", "发送"),
    "to_send": ("to send", "发送"),
    "bar_bot": ("The assistant is answering. You are reading along.", "助手正在回答，您正在旁观。"),
    "bar_queue": ("This customer is waiting for a person.", "此客户正在等待人工服务。"),
    "bar_other": ("{} is talking to this customer.", "{} 正在接待此客户。"),
    "bar_closed": ("This conversation is closed.", "此对话已结束。"),
    # Errors
    "taken": ("{} has this conversation.", "此对话由 {} 接待。"),
    "not_yours": ("Take the conversation over first.", "请先接手此对话。"),
    "gone": ("This conversation is closed or does not exist.", "此对话已结束或不存在。"),
    "reply_empty": ("Write something first.", "请先输入内容。"),
    "reply_long": ("That is too long: {} characters at most.", "内容过长：最多 {} 个字符。"),
    "failed": ("That did not work. Please try again.", "操作失败，请重试。"),
    "unreachable": ("The server cannot be reached. Your text is kept.", "无法连接服务器，您的内容已保留。"),
    # Shortcuts
    "key_next": ("Next conversation", "下一个对话"),
    "key_previous": ("Previous conversation", "上一个对话"),
    "key_take": ("Take over", "接手"),
    "key_reply": ("Write a reply", "撰写回复"),
    "key_search": ("Find a customer", "查找客户"),
    "key_send": ("Send the reply", "发送回复"),
    "key_help": ("Show this help", "显示此帮助"),
    "key_escape": ("Leave the field, close what is open", "离开输入框、关闭弹窗"),
    # Times
    "now": ("now", "刚刚"),
    "minutes": ("{} min", "{} 分钟"),
    "hours": ("{} h", "{} 小时"),
    "days": ("{} d", "{} 天"),
    **choice_words.WORDS,
    **reveal_words.WORDS,
    **rights_words.WORDS,
    **extra_words.WORDS,
}
_LOCALES = ("en", "zh")
_TABLES = {locale: {key: both[at] for key, both in _WORDS.items()} for at, locale in enumerate(_LOCALES)}
# What scripts say themselves; everything else is rendered here.
_SCRIPTS = {
    *(
        "live",
        "connecting",
        "offline",
        "failed",
        "unreachable",
        "working",
        "asks",
        "card",
        "hidden",
        "by_bot",
        "exported",
    ),
    *reveal_words.SCRIPTS,
    *("now", "minutes", "hours", "days"),
}


def locale() -> str:
    """The locale of this request: the language chosen in the desk, else the browser's."""
    return "zh" if (translation.get_language() or "").startswith("zh") else "en"


def table() -> dict[str, str]:
    return _TABLES[locale()]


def for_scripts() -> dict[str, str]:
    return {key: word for key, word in table().items() if key in _SCRIPTS or key.startswith("kind_")}


def kinds() -> dict[str, str]:
    """The names of the kinds of private values, by kind."""
    words = table()
    names = {key.removeprefix("kind_"): word for key, word in words.items() if key.startswith("kind_")}
    return {**names, "hidden": words["hidden"]}

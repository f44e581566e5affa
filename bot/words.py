"""The sentences Frontdesk itself says to customers, in their language."""

from collections.abc import Sequence

_WORDS: dict[str, dict[str, str]] = {
    "working.thinking": {"en": "Thinking…", "zh": "正在思考…"},
    "working.search_knowledge": {"en": "Searching our help pages…", "zh": "正在查找帮助文档…"},
    "working.tool": {"en": "Looking that up…", "zh": "正在为您查询…"},
    "working.change": {"en": "Doing that for you…", "zh": "正在为您办理…"},
    "working.retry": {"en": "This takes a little longer than usual…", "zh": "比平时稍慢一些，请稍候…"},
    "working.still": {"en": "Still working on it…", "zh": "仍在处理，请稍候…"},
    "working.place": {
        "en": "Many people are asking right now. You are number {place} in line, about {seconds} s.",
        "zh": "当前咨询较多，您排在第 {place} 位，大约 {seconds} 秒。",
    },
    "deferred": {
        "en": "Many people are asking right now. Here is what I can say at once; "
        "my full answer follows here as soon as it is your turn.",
        "zh": "当前咨询较多，先为您提供以下信息，轮到您时我会在这里给出完整回答。",
    },
    "promise.busy": {
        "en": "Many people are asking right now. My answer follows here as soon as it is your turn; "
        "you can also ask for a person.",
        "zh": "当前咨询较多，轮到您时我会在这里回答；您也可以点击“转人工”。",
    },
    "rejected.invalid": {"en": "This message cannot be read.", "zh": "无法读取此消息。"},
    "rejected.too_long": {
        "en": "This message is too long: {limit} characters at most.",
        "zh": "消息过长：最多 {limit} 个字符。",
    },
    "rejected.rate_limited": {
        "en": "That was a lot of messages at once. Please wait a moment.",
        "zh": "发送过于频繁，请稍等片刻。",
    },
    "rejected.closed": {"en": "This conversation is closed.", "zh": "此对话已结束。"},
    "rejected.bad_address": {
        "en": "This does not look like an e-mail address.",
        "zh": "这不像是一个邮箱地址。",
    },
    "contact.left": {
        "en": "Should you leave before we answer, we can write to {email}.",
        "zh": "如果您在我们回复之前离开，我们可以写信到 {email}。",
    },
    "promise.model_down": {
        "en": "I cannot reach my answering service right now. Please try again in a little while, "
        "or ask for a person: a colleague will see your message here.",
        "zh": "我暂时无法连接应答服务。请稍后再试，或点击“转人工”，同事会在这里看到您的消息。",
    },
    # Which limit is in the way: `limit` as in "10 messages today".
    "limit.full": {
        "en": "The limit of {limit} leaves no room for a full answer now.",
        "zh": "{limit}额度已不足以给出完整回答。",
    },
    "limit.actions": {
        "en": "The limit of {limit} leaves no room for more now.",
        "zh": "{limit}额度已用完。",
    },
    "limit.again": {"en": "{said} There is more again {when}.", "zh": "{said}额度将在{when}恢复。"},
    "promise.usage_limit": {
        "en": "{why} I found no prepared answer to this, "
        "but you can ask for a person and a colleague will answer here.",
        "zh": "{why}我没有找到现成的答案，您可以点击“转人工”，同事会在这里回复您。",
    },
    "promise.not_now": {
        "en": "I can't look into this fully right now, and I found no prepared answer to it. "
        "You can ask for a person: a colleague will see your message here.",
        "zh": "我现在无法完整处理这个问题，也没有找到现成的答案。"
        "您可以点击“转人工”，同事会在这里看到您的消息。",
    },
    "cut.usage_limit": {
        "en": "I have to stop here. {why} If you like, ask for a person, who will see all of this.",
        "zh": "我只能先说到这里。{why}如有需要，请点击“转人工”，同事会看到以上内容。",
    },
    "cut.not_now": {
        "en": "I have to stop here: I can't look into this any further right now. "
        "If you like, ask for a person, who will see all of this.",
        "zh": "我只能先说到这里，现在无法继续查询。如有需要，请点击“转人工”，同事会看到以上内容。",
    },
    "passage.intro": {"en": "From “{title}”:", "zh": "摘自《{title}》："},
    "approval.ask": {"en": "Please confirm below.", "zh": "请在下方确认。"},
    "approval.done": {"en": "Done: {title}", "zh": "已完成：{title}"},
    "approval.failed": {
        "en": "That did not work: {why} If you like, ask for a person.",
        "zh": "未能完成：{why} 如有需要，请点击“转人工”。",
    },
    "approval.undone": {
        "en": "This was not done: {title}. Please try again in a little while, or ask for a person.",
        "zh": "未能办理：{title}。请稍后再试，或点击“转人工”。",
    },
    "approval.unsure": {
        "en": "It is not certain whether this was done. A colleague will check and answer here.",
        "zh": "目前无法确定是否已办理，同事会核实后在这里回复您。",
    },
    "handover.promise": {
        "en": "I am passing you on to a colleague, who will answer here.",
        "zh": "我将为您转接人工，同事会在这里回复您。",
    },
    "handover.waiting": {
        "en": "You are in line for a person. They will answer here; you can keep writing.",
        "zh": "正在为您转接人工，请稍候。您可以继续留言，同事会在这里回复。",
    },
    "handover.cancelled": {
        "en": "You are talking to the assistant again.",
        "zh": "您已回到智能助手。",
    },
    "handover.joined": {"en": "{name} has joined.", "zh": "{name} 已加入对话。"},
    "handover.back": {
        "en": "{name} has left. You are talking to the assistant again.",
        "zh": "{name} 已离开，您已回到智能助手。",
    },
    "handover.closed": {"en": "This conversation was closed.", "zh": "此对话已结束。"},
    "handover.colleague": {"en": "A colleague", "zh": "同事"},
    "gave_up": {
        "en": "I could not finish this on my own. If you like, ask for a person, who will see all of this.",
        "zh": "我无法独立完成此请求，您可以点击“转人工”。",
    },
    "refused": {
        "en": "I cannot answer this here. If you like, ask for a person and a colleague will read it.",
        "zh": "此问题我无法在这里回答。如有需要，请点击“转人工”，同事会为您查看。",
    },
    "removed.customer": {
        "en": "For your safety, please do not send {things} here. I have removed this from your message.",
        "zh": "为了您的安全，请不要在这里发送{things}。我已将其从您的消息中删除。",
    },
    "removed.agent": {
        "en": "A reply held something that is not kept in this chat ({things}). It was removed.",
        "zh": "回复中含有不在此对话中保留的内容（{things}），已被删除。",
    },
    "things.EMAIL": {"en": "e-mail addresses", "zh": "邮箱地址"},
    "things.PHONE": {"en": "phone numbers", "zh": "电话号码"},
    "things.CARD": {"en": "card numbers", "zh": "银行卡号"},
    "things.BANK": {"en": "account numbers", "zh": "银行账号"},
    "things.NATIONAL_ID": {"en": "numbers of identity papers", "zh": "证件号码"},
    "things.IP": {"en": "IP addresses", "zh": "IP 地址"},
    "things.PERSON": {"en": "names", "zh": "姓名"},
    "things.ADDRESS": {"en": "postal addresses", "zh": "住址"},
    "things.BIRTHDATE": {"en": "dates of birth", "zh": "出生日期"},
    "things.SECRET": {"en": "passwords", "zh": "密码或验证码"},
    "stopped": {"en": "(stopped)", "zh": "（已停止）"},
}


def say(key: str, locale: str, **facts: object) -> str:
    """The sentence `key` in `locale` (English where there is none), with `facts` filled in."""
    sentences = _WORDS[key]
    return sentences.get(locale, sentences["en"]).format(**facts)


def all_of(things: Sequence[str], locale: str) -> str:
    """A list as it is said: `names, phone numbers and passwords`."""
    if locale == "zh" or len(things) < 2:
        return "、".join(things)
    return f"{', '.join(things[:-1])} and {things[-1]}"


def language_of(text: str, default: str) -> str:
    """`zh` where Chinese characters are, `en` where only Latin letters are, else `default`."""
    if any("\u4e00" <= char <= "\u9fff" for char in text):
        return "zh"
    return "en" if any("a" <= char <= "z" for char in text.lower()) else default

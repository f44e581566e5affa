"""What stands in a text where a value was dropped because the site refuses such values."""

REMOVED = {
    "en": {
        "EMAIL": "[e-mail address removed]",
        "PHONE": "[phone number removed]",
        "CARD": "[card number removed]",
        "BANK": "[account number removed]",
        "NATIONAL_ID": "[id number removed]",
        "IP": "[IP address removed]",
        "PERSON": "[name removed]",
        "ADDRESS": "[address removed]",
        "BIRTHDATE": "[date of birth removed]",
        "SECRET": "[password or code removed]",
        "": "[private value removed]",
    },
    "zh": {
        "EMAIL": "[邮箱已删除]",
        "PHONE": "[电话号码已删除]",
        "CARD": "[卡号已删除]",
        "BANK": "[账号已删除]",
        "NATIONAL_ID": "[证件号已删除]",
        "IP": "[IP 地址已删除]",
        "PERSON": "[姓名已删除]",
        "ADDRESS": "[地址已删除]",
        "BIRTHDATE": "[出生日期已删除]",
        "SECRET": "[密码或验证码已删除]",
        "": "[隐私信息已删除]",
    },
}


def removed(kind: str, language: str) -> str:
    """The neutral word for a dropped value."""
    words = REMOVED["zh" if language.startswith("zh") else "en"]
    return words.get(kind, words[""])

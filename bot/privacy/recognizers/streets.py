"""What streets are called, and the words that lead to a door."""

import re

from .names import folded


def _words(text: str) -> frozenset[str]:
    return frozenset(folded(word) for word in text.split())


# "Oak Street": these end a street's name, also in small letters.
TYPES = _words(
    """
    street st str avenue ave av road rd lane ln drive dr boulevard blvd parkway pkwy highway hwy terrace
    crescent turnpike expressway freeway causeway broadway court ct place pl square sq circle cir trail
    trl alley way mews close grove gardens row walk rise crest quay plaza esplanade promenade bypass
    loop path pike ridge heights hollow crossing commons landing parade drove wharf
    """
)
# They mean little else, so they need no number before them, and no capitals after one.
SURE_TYPES = _words(
    """
    street avenue ave road rd lane ln boulevard blvd parkway pkwy highway hwy terrace crescent
    """
)
# A street's name without a number; "Google Drive" and "Your Place" are none.
NAMED_TYPES = frozenset(("street", "avenue", "road", "lane", "boulevard"))
# "Hauptstraße 5": one word, before its number.
COMPOUND = re.compile(
    r".{2,}(?:stra(?:ss|ß)e|gasse|weg|allee|platz|damm|chaussee|ufer|steig|graben|brücke|str"
    r"|straat|laan|steenweg|plein|dreef|singel|gracht|dijk|baan|plantsoen"
    r"|gatan|gata|gatu|vägen|väg|gränd|backen|vej|gade|stræde|veien|vei|gaten|bakken|stræti|vegur|götu|braut"
    r"|katu|polku|utca|körút)",
    re.IGNORECASE,
)
# "Rue de la Paix 5", "Calle Mayor 12", "ul. Karpacka 69": these begin a street's name.
PREFIXES = _words(
    """
    rue avenue av ave boulevard bd chemin impasse allée allee quai cours passage route ruelle calle c
    avenida avda avd paseo plaza camino camiño carretera ctra ronda travesía rúa rua travessa largo
    estrada alameda praça praca rodovia via viale v.le corso piazza vicolo strada piazzale contrada
    ulica ul al os plac aleja trg cesta náměstí nam ulice ulitsa utca strada bulevardul calea straße
    strasse platz carrer avinguda colonia sokak caddesi jalan
    """
)
# "Λεωφ. Κηφισίας 12", "Dózsa György út 78": the word before a number.
ENDINGS = frozenset(("ut", "utca", "u", "ter", "rakpart", "korut", "ulica", "ulice", "iela", "gatve"))
UNITS = _words(
    """
    apt apartment suite ste unit flat room rm floor fl piso dept lot trlr bldg building
    """
)
# Followed by a full stop that ends no sentence.
SHORTENED = _words(
    """
    st ave av rd ln dr blvd ct pl sq str ul al avda avd ctra bd apt ste rm fl no nr nº n p.o po u λεωφ c
    bldg mt ft n s e w
    """
)
DIRECTIONS = _words(
    """
    n s e w ne nw se sw north south east west northeast northwest southeast southwest
    """
)
PARTICLES = _words(
    """
    de del della delle dei degli di da do dos das du des d la le les las los el y e a van von der den
    het 't ten ter op aan in zur zum am an im the of and nad pod pri u na
    """
)
# Words that belong to no address; the rest of a text in small letters might.
FUNCTION = _words(
    """
    i me my mine you your yours he him his she her it its we us our they them their this that these
    those who what which when where why how is am are was were be been being have has had do does did
    will would can could should may might must shall not no yes and or but if because so than then there
    here for from with without about into onto over under after before between during until while to at
    by on in of as up down out off please thanks thank hello hi hey want need like get got give send
    sent deliver delivered ship shipped order ordered buy bought pay paid return returned exchange
    change changed cancel update updated live lives lived living moved move meet call called have card
    number address name email phone date new same more less each per only just also too very
    some any all both few many much other another again still yet ever never always now today tomorrow
    yesterday times items pieces pairs days weeks months years hours minutes percent dollars euros
    pounds usd eur gbp
    """
)
# New York, 12 Old Mill Road.
IN_TOWNS = frozenset(("new", "old"))
POSTAL = re.compile(
    r"\d{5}(?:-\d{4})?(?![\w-])|\d{4} ?[A-Z]{2}(?!\w)|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}(?!\w)"
    r"|[A-Z]\d[A-Z] ?\d[A-Z]\d(?!\w)|\d{2}-\d{3}(?![\w-])|\d{3} \d{2}(?!\s?\d)|\d{5}-\d{3}(?!\w)"
    r"|\d{4}(?![\w-])|\d{6}(?![\w-])"
)
BOX = re.compile(
    r"(?<!\w)(?:p\.? ?o\.? ?box|post(?:al)? box|postfach|apartado(?: de correos)?|casilla|bo[iî]te postale"
    r"|postbus|postboks)\s*#?\d+\w?(?!\w)",
    re.IGNORECASE,
)
MILITARY = re.compile(
    r"(?:(?:PSC|CMR|Unit)\s\d+,?\s+Box\s\d+|US(?:NS|S|CGC|NV)\s[\w.'’-]+(?:\s[\w.'’-]+)?)"
    r"\s*,?\s*(?:\n[>? ]*)?(?:APO|FPO|DPO)\s+A[AEP]\s+\d{5}(?:-\d{4})?",
    re.IGNORECASE,
)
_AT = (
    r"live|lives|lived|living|stay|staying|reside|resides|residing|located|office is|is|meet(?: me)?|shop"
    r"|store|arrived|pick(?:ed)? up|based|house|home|delivered|dropped"
)
_TO = (
    r"sent|send|deliver|delivered|ship|shipped|mail|mailed|post|move|moved|relocated|return|forward|taxi|ride"
    r"|cab|one|it|them|package|parcel|order|back"
)
# What stands right before an address.
LEADS_TO = re.compile(
    r"(?:\baddress(?: (?:is|was|to|as|with|on file is))?(?: now)?\s?:?"
    rf"|\b(?:{_AT}) (?:at|in|on)|\b(?:{_TO}) (?:it |them |this |that |everything )?to"
    r"|\bit['’]?s (?:in|at))\s+$",
    re.IGNORECASE,
)
CORNER = re.compile(r"(?:\bthe )?\bcorner of (?:[^,\n]{2,40} )?$", re.IGNORECASE)

import base64
import json
import threading
import time
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.core import signing
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from accounts import identity, sealing
from accounts.identity import BadToken, Identity
from accounts.models import Customer, Site, Tier
from tests.conftest import SECRET


def claims(**changed: object) -> dict[str, object]:
    return {"aud": "frontdesk", "sub": "alice", "exp": int(time.time()) + 300} | changed


def sign(payload: dict[str, object], key: object = SECRET, algorithm: str | None = "HS256") -> str:
    return jwt.encode(payload, key, algorithm=algorithm)  # type: ignore[arg-type]


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@pytest.mark.django_db
class TestReadIdentity:
    def test_identity_is_read_when_the_site_signed_it(self, site: Site):
        token = sign(claims(email="alice@example.com", name="Alice Moss", tier="plus", extra=[1]))
        assert identity.read_identity(site, token) == Identity(
            "alice", "alice@example.com", "Alice Moss", "plus"
        )

    def test_identity_needs_only_sub_exp_and_aud(self, site: Site):
        assert identity.read_identity(site, sign(claims())) == Identity("alice", "", "", None)

    @pytest.mark.parametrize("empty", [None, ""])
    def test_identity_takes_an_empty_claim_for_a_missing_one(self, site: Site, empty: str | None):
        token = sign(claims(email=empty, name=empty, tier=empty))
        assert identity.read_identity(site, token) == Identity("alice", "", "", None)

    def test_identity_may_name_the_default_tier(self, site: Site):
        assert identity.read_identity(site, sign(claims(tier="free"))).tier == "free"

    @pytest.mark.parametrize("tier", ["vip", "nonsense", "PLUS", " plus"])
    def test_identity_is_refused_when_the_site_does_not_allow_the_tier(
        self, site: Site, vip: Tier, tier: str
    ):
        with pytest.raises(BadToken):
            identity.read_identity(site, sign(claims(tier=tier)))

    def test_identity_is_read_with_either_secret_while_one_is_rotated(self, site: Site):
        site.rotate_secret("the-new-secret-of-the-site-which-is-long")
        for key in (SECRET, "the-new-secret-of-the-site-which-is-long"):
            assert identity.read_identity(site, sign(claims(), key)).sub == "alice"
        site.rotate_secret("a-third-secret-of-the-site-which-is-long")
        with pytest.raises(BadToken):
            identity.read_identity(site, sign(claims()))

    def test_identity_is_refused_when_the_site_has_no_secret(self, site: Site):
        site.sealed_secret = b""
        with pytest.raises(BadToken):
            identity.read_identity(site, sign(claims()))

    def test_identity_is_refused_when_another_secret_signed_it(self, site: Site, other_site: Site):
        with pytest.raises(BadToken):
            identity.read_identity(other_site, sign(claims()))

    @pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
    def test_identity_is_refused_when_signed_with_another_hash(self, site: Site, algorithm: str):
        site.sealed_secret = sealing.seal(SECRET * 2)
        assert identity.read_identity(site, sign(claims(), SECRET * 2)).sub == "alice"
        with pytest.raises(BadToken):
            identity.read_identity(site, sign(claims(), SECRET * 2, algorithm))

    def test_identity_is_refused_when_unsigned_or_signed_with_a_key_pair(self, site: Site):
        key_pair = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        unsigned = f"{part({'alg': 'none', 'typ': 'JWT'})}.{part(claims())}."
        for token in (sign(claims(), "", None), unsigned, sign(claims(), key_pair, "RS256")):
            with pytest.raises(BadToken):
                identity.read_identity(site, token)

    @pytest.mark.parametrize("missing", ["sub", "exp", "aud"])
    def test_identity_is_refused_when_a_claim_is_missing(self, site: Site, missing: str):
        with pytest.raises(BadToken):
            identity.read_identity(site, sign({k: v for k, v in claims().items() if k != missing}))

    @pytest.mark.parametrize(
        "changed",
        [
            {"aud": "other"},
            {"aud": ["other"]},
            {"aud": 7},
            {"sub": ""},
            {"sub": "  "},
            {"sub": "a" * 201},
            {"sub": "a\x00b"},
            {"sub": "a\ud800"},
            {"name": "n" * 201},
            {"name": "Alice\nBcc: x"},
            {"name": {"first": "Alice"}},
            {"email": "e" * 255},
            {"email": 5},
            {"tier": ["plus"]},
            {"exp": "soon"},
            {"exp": str(int(time.time()) + 300)},
            {"exp": float("inf")},
            {"exp": float("nan")},
            {"exp": 10**400},
        ],
        ids=repr,
    )
    def test_identity_is_refused_when_a_claim_is_wrong(self, site: Site, changed: dict[str, object]):
        with pytest.raises(BadToken):
            identity.read_identity(site, sign(claims(**changed)))

    def test_identity_may_be_as_long_as_allowed(self, site: Site):
        token = sign(claims(sub="a" * 200, name="名" * 200, email="e" * 254))
        assert identity.read_identity(site, token).name == "名" * 200

    @pytest.mark.parametrize(("ahead", "good"), [(-20, True), (-40, False), (620, True), (700, False)])
    def test_identity_lives_ten_minutes_at_most(self, site: Site, ahead: int, good: bool):
        token = sign(claims(exp=int(time.time()) + ahead))
        if good:
            assert identity.read_identity(site, token)
        else:
            with pytest.raises(BadToken):
                identity.read_identity(site, token)

    @pytest.mark.parametrize(
        "token",
        ["", "a", "a.b", "a.b.c", "..", "é.é.é", "\x00", "x" * 5000, "\ud800", f"{part([1])}.e30.e30"],
    )
    def test_identity_is_refused_when_it_is_no_token(self, site: Site, token: str):
        with pytest.raises(BadToken):
            identity.read_identity(site, token)

    def test_identity_is_refused_when_it_is_too_long_though_well_signed(self, site: Site):
        token = sign(claims(extra="x" * 4096))
        with pytest.raises(BadToken, match="too long"):
            identity.read_identity(site, token)

    def test_identity_is_refused_when_one_character_was_changed(self, site: Site):
        head, body, mark = sign(claims()).split(".")
        forged = part(claims(sub="carol"))
        for token in (f"{head}.{forged}.{mark}", f"{head}.{body}.{mark[:-4]}AAAA", f"{head}.{body}."):
            with pytest.raises(BadToken):
                identity.read_identity(site, token)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.dictionaries(
        st.sampled_from(["sub", "exp", "aud", "nbf", "iat", "jti", "name", "email", "tier"]), json_values
    )
)
def test_identity_is_read_or_refused_whatever_was_signed(payload: dict[str, object]):
    site = Site(key="shop", sealed_secret=sealing.seal(SECRET))
    body = {"aud": "frontdesk", "exp": time.time() + 60} | payload | {"tier": None}
    try:
        found = identity.read_identity(site, jwt.api_jws.encode(json.dumps(body).encode(), SECRET, "HS256"))
    except BadToken:
        return
    assert found.sub == body["sub"]
    assert found.sub.strip()


@pytest.mark.django_db
class TestVerified:
    def test_verified_knows_the_customer_again(self, site: Site, alice: Customer):
        again = identity.verified(site, Identity("alice", "alice@example.com", "Alice Moss", None))
        assert again == alice
        assert (again.name, again.email, again.verified) == ("Alice Moss", "alice@example.com", True)
        assert b"Alice" not in bytes(again.sealed_name)

    def test_verified_writes_nothing_when_nothing_changed(
        self, site: Site, alice: Customer, django_assert_num_queries
    ):
        same = Identity("alice", "alice@example.com", "Alice Moss", None)
        with django_assert_num_queries(1):
            identity.verified(site, same)
        assert bytes(Customer.objects.get(id=alice.id).sealed_name) == bytes(alice.sealed_name)

    def test_verified_takes_what_the_token_says_now(self, site: Site, alice: Customer, plus: Tier):
        identity.verified(site, Identity("alice", "moss@example.com", "", "plus"), "zh")
        now = Customer.objects.get(id=alice.id)
        assert (now.email, now.name, now.token_tier, now.locale) == ("moss@example.com", "", plus, "zh")
        assert now.effective_tier == plus
        identity.verified(site, Identity("alice", "moss@example.com", "", None))
        assert Customer.objects.get(id=alice.id).effective_tier == site.default_tier

    def test_verified_keeps_the_tier_that_staff_gave(self, site: Site, alice: Customer, vip: Tier):
        alice.tier = vip
        alice.save()
        assert identity.verified(site, Identity("alice", "", "", "plus")).effective_tier == vip

    def test_verified_replaces_what_no_key_opens(self, site: Site, alice: Customer):
        Customer.objects.filter(id=alice.id).update(sealed_name=b"sealed with a key that is gone")
        again = identity.verified(site, Identity("alice", "alice@example.com", "Alice Moss", None))
        assert again.name == "Alice Moss"

    def test_verified_keeps_sites_apart(self, site: Site, other_site: Site, alice: Customer):
        assert identity.verified(other_site, Identity("alice", "", "", None)) != alice


@pytest.mark.django_db(transaction=True)
def test_verified_makes_one_customer_when_many_tabs_arrive_at_once(site: Site):
    start, found = threading.Barrier(8), []

    def tab() -> None:
        try:
            start.wait()
            found.append(identity.verified(site, Identity("carol", "c@example.com", "Carol", None)).id)
        finally:
            connection.close()

    tabs = [threading.Thread(target=tab) for _ in range(8)]
    for one in tabs:
        one.start()
    for one in tabs:
        one.join()
    assert len(found) == 8
    assert len(set(found)) == 1


@pytest.mark.django_db
class TestSession:
    def test_session_finds_its_customer_in_one_query(
        self, site: Site, alice: Customer, django_assert_num_queries
    ):
        token = identity.issue(alice)
        with django_assert_num_queries(1):
            found = identity.read_session(site, token)
            assert (found, found.effective_tier, found.site) == (alice, site.default_tier, site)
        assert len(token) < 90

    def test_session_of_a_visitor_stays_anonymous(self, site: Site, visitor: Customer):
        found = identity.read_session(site, identity.issue(visitor))
        assert found == visitor
        assert not found.verified

    def test_session_is_refused_on_another_site(self, site: Site, other_site: Site, alice: Customer):
        with pytest.raises(BadToken):
            identity.read_session(other_site, identity.issue(alice))

    def test_session_is_refused_when_the_customer_has_vanished(self, site: Site, alice: Customer):
        token = identity.issue(alice)
        alice.delete()
        with pytest.raises(BadToken):
            identity.read_session(site, token)

    @pytest.mark.parametrize(("days", "good"), [(6.9, True), (7.1, False)])
    def test_session_ends_after_seven_days(
        self, site: Site, alice: Customer, monkeypatch, days: float, good: bool
    ):
        token = identity.issue(alice)
        later = (datetime.now(UTC) + timedelta(days=days)).timestamp()
        monkeypatch.setattr("django.core.signing.time.time", lambda: later)
        if good:
            assert identity.read_session(site, token) == alice
        else:
            with pytest.raises(BadToken):
                identity.read_session(site, token)

    def test_session_is_refused_when_forged(self, site: Site, alice: Customer, visitor: Customer):
        token, foreign = identity.issue(alice), identity.issue(visitor)
        swapped = ":".join([token.split(":")[0], *foreign.split(":")[1:]])
        other_salt = signing.TimestampSigner(salt="django.password").sign(token.split(":")[0])
        wrong_payload = signing.TimestampSigner(salt="frontdesk.session").sign("AAAA")
        for bad in (swapped, other_salt, wrong_payload, token[:-1], token + "x", sign(claims())):
            with pytest.raises(BadToken):
                identity.read_session(site, bad)

    @given(st.text(max_size=300))
    def test_session_is_refused_whatever_is_sent(self, text: str):
        with pytest.raises(BadToken):
            identity.read_session(Site(), text)


def address(peer: str, *forwarded: str, proxies: int = 0) -> str:
    headers = [(b"host", b"x"), *((b"x-forwarded-for", value.encode()) for value in forwarded)]
    return identity.network_address(headers, peer, proxies)


class TestNetworkAddress:
    def test_address_is_the_peer_when_no_proxy_is_trusted(self):
        assert address("203.0.113.9", "198.51.100.1") == address("203.0.113.9")
        assert address("203.0.113.9") != address("203.0.113.8")

    def test_address_is_what_the_trusted_proxies_saw(self):
        assert address("10.0.0.1", "198.51.100.1", proxies=1) == address("198.51.100.1")
        assert address("10.0.0.1", "198.51.100.1, 10.0.0.2", proxies=2) == address("198.51.100.1")
        assert address("10.0.0.1", "198.51.100.1", "10.0.0.2", proxies=2) == address("198.51.100.1")

    def test_address_is_not_what_the_client_wrote(self):
        assert address("10.0.0.1", "1.1.1.1, 198.51.100.1", proxies=1) == address("198.51.100.1")

    def test_address_is_the_peer_when_the_proxy_says_nothing(self):
        assert address("10.0.0.1", proxies=2) == address("10.0.0.1")

    def test_address_of_one_ipv6_subscriber_is_one(self):
        assert address("2001:db8:1:2::5") == address("2001:db8:1:2:ffff::9")
        assert address("2001:db8:1:2::5") != address("2001:db8:1:3::5")

    @pytest.mark.parametrize(
        "written", ["198.51.100.1:4711", "::ffff:198.51.100.1", "[::ffff:198.51.100.1]:80"]
    )
    def test_address_is_the_same_however_it_is_written(self, written: str):
        assert address(written) == address("198.51.100.1")

    @pytest.mark.parametrize("nonsense", ["", "unknown", "[", "999.1.1.1", "a:b:c"])
    def test_address_that_nobody_can_read_shares_one_allowance(self, nonsense: str):
        assert address(nonsense) == address("")

    def test_address_is_not_stored_readable(self):
        assert "203" not in address("203.0.113.9") or len(address("203.0.113.9")) == 32
        assert address("203.0.113.9") == sealing.fingerprint("address", "203.0.113.9")


@pytest.mark.django_db
class TestLabel:
    @pytest.mark.parametrize(
        "sub",
        [
            "alice",
            "nora-17",
            "shop:48213",
            "cus_NffrFeUfNV2Hib",
            "6fa459ea-ee8a-3ca4-894e-db77e1600071",
            "507f1f77bcf86cd799439011",
            "01ARZ3NDEKTSV4RRFFQ69G5FAV",
        ],
    )
    def test_staff_see_an_id_that_says_nothing_private(self, site: Site, sub: str):
        assert identity.known_as(site, sub).label == sub

    @pytest.mark.parametrize(
        "sub",
        [
            "alice@example.com",
            "15550123456",
            "212-555-0123",
            "123-45-6789",
            "138.1234.5678",
            "tel-212-555-0123-alice",
            "12345678-1234-1234-1234-123456789012",
            "alice-1985-05-12",
            "alice.miller",
            "alice_miller85",
            "Anna-Maria.Lind",
            "张伟",
        ],
    )
    def test_staff_see_a_short_number_for_an_id_that_may_be_private(self, site: Site, sub: str):
        customer = identity.known_as(site, sub)
        assert customer.label == customer.sub_digest[:8]

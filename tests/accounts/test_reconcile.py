from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command

from accounts import usage_export
from accounts.models import UsageEntry
from accounts.usage_export import BadExport, Export

FIRST = date(2026, 6, 1)
OPENAI = (
    "start_time,end_time,start_time_iso,end_time_iso,project_id,num_model_requests,user_id,api_key_id,model,"
    "batch,service_tier,input_tokens,output_tokens,input_cached_tokens,input_uncached_tokens\n"
    "1780272000,1780358400,2026-06-01T00:00:00+00:00,2026-06-02T00:00:00+00:00,p,3,,,"
    "gpt-4o-mini-2024-07-18,,,300,90,100,200\n"
    "1780358400,1780444800,2026-06-02T00:00:00+00:00,2026-06-03T00:00:00+00:00,,,,,,,,,,,\n"
)
GENERAL = "date,model,input_tokens,cached_tokens,output_tokens,requests,cost\n"


def read(text: str) -> Export:
    return usage_export.read(text.splitlines(keepends=True))


class TestExport:
    def test_openai_s_usage_is_read(self):
        export = read(OPENAI)
        assert export.measures == ["input", "cached", "output", "requests"]
        told = {"input": 300, "cached": 100, "output": 90, "requests": 3}
        assert export.used == {(FIRST, "gpt-4o-mini-2024-07-18"): told}

    def test_openai_s_costs_by_line_item_are_read(self):
        export = read(
            "start_time,start_time_iso,amount_value,amount_currency,line_item\n"
            '1780272000,2026-06-01T00:00:00+00:00,0.0100,usd,"gpt-4o-mini-2024-07-18, input"\n'
            '1780272000,2026-06-01T00:00:00+00:00,0.0020,usd,"gpt-4o-mini-2024-07-18, output"\n'
            "1780358400,2026-06-02T00:00:00+00:00,,,\n"
        )
        assert export.used == {(FIRST, "gpt-4o-mini-2024-07-18"): {"cost": Decimal("0.012")}}

    @pytest.mark.parametrize(
        "text",
        [
            "date,model,input_tokens,cost\n2026-06-01,m,5,0.5\n2026-06-01,m,6,$0.25\n\n",
            "\ufeffModel;Date;Cost;Input tokens;Comment\r\nm;2026-06-01;0.75;11;hello\r\n",
            "model\ttimestamp\tcost_usd\tprompt_tokens\nm\t1780272000\t0.75\t11\n",
            "day,model,cost,input-tokens\n2026-06-01T05:00,m,0.5,5\n2026-06-01T23:59:59Z,m,0.25,6\n",
        ],
    )
    def test_rows_add_up_by_day_and_model(self, text: str):
        assert read(text).used == {(FIRST, "m"): {"input": 11, "cost": Decimal("0.75")}}

    def test_days_may_begin_elsewhere(self):
        assert read("date,model,cost\n2026-06-01T00:00:00+02:00,m,1\n").offset == timedelta(hours=2)

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("", "line 1: no column of the day"),
            ("when,model,cost\n", "line 1: no column of the day"),
            ("date,kind,cost\n", "line 1: no column of the model; one must be called model, model_name or"),
            ("date,model,colour\n", "line 1: no column of tokens, requests or cost"),
            (GENERAL, "no rows"),
            (
                GENERAL + "2026-06-01,m,1,0,1,1,0.5\n2026-06-01,m,1,0\n",
                "line 3 has 4 fields, the header has 7",
            ),
            (GENERAL + "\n2026-06-01,m,many,0,1,1,0.5\n", "line 3: input is 'many', not a number"),
            (GENERAL + "2026-06-01,m,-1,0,1,1,0.5\n", "line 2: input is -1"),
            (GENERAL + "2026-06-01,m,1.5,0,1,1,0.5\n", "line 2: input is 1.5"),
            (GENERAL + "2026-06-01,m,1,0,1,1,NaN\n", "line 2: cost is NaN"),
            (GENERAL + "01.06.2026,m,1,0,1,1,0.5\n", "line 2: the day is '01.06.2026'"),
            (GENERAL + "2026-06-01,,1,0,1,1,0.5\n", "line 2: names no model"),
            (GENERAL + '2026-06-01,"m,1,0,1,1,0.5\n', "line 2: unexpected end of data"),
            ("date,model,cost,currency\n2026-06-01,m,1,eur\n", "line 2: costs are in eur, not in USD"),
            (
                "date,model,cost\n2026-06-01,m,1\n2026-06-01T00:00+02:00,m,1\n",
                "line 3: days begin at another",
            ),
        ],
    )
    def test_a_bad_file_is_told_with_its_line(self, text: str, why: str):
        with pytest.raises(BadExport, match=why.replace("(", r"\(")):
            read(text)


@pytest.fixture
def ledger(db: None) -> None:
    def add(hours: float, model: str = "gpt-4o-mini", **values: object) -> None:
        facts: dict[str, object] = {"input_tokens": 100, "cached_tokens": 40, "output_tokens": 30}
        facts |= {"cost": Decimal("0.01"), "confidence": "exact", "provider": "OpenAI", "outcome": "ok"}
        nobody = {"turn": UUID(int=1), "customer": UUID(int=2), "model": model}
        entry = UsageEntry.objects.create(**(facts | nobody | values))
        at = datetime(2026, 6, 1, tzinfo=UTC) + timedelta(hours=hours)
        UsageEntry.objects.filter(pk=entry.pk).update(created_at=at)

    add(0)
    add(12, confidence="estimated")
    add(23.9)
    add(25, model="gpt-4o")
    add(1, provider="other")
    add(1, outcome="open")
    add(1, outcome="refused", input_tokens=0, cached_tokens=0, output_tokens=0, cost=0)


AGREES = "2026-06-01,gpt-4o-mini,300,120,90,3,0.03\n2026-06-02,gpt-4o,100,40,30,1,0.01\n"
Told = Callable[..., str]


@pytest.fixture
def told(tmp_path: Path, ledger: None) -> Told:
    def run(text: str, *options: str) -> str:
        file, out = tmp_path / "export.csv", StringIO()
        file.write_text(text)
        try:
            call_command("reconcile_usage", str(file), *options, provider="OpenAI", stdout=out)
        except CommandError as error:
            return f"{out.getvalue()}{error} ({error.returncode})"
        return out.getvalue()

    return run


class TestCommand:
    def test_the_same_on_both_sides_is_well(self, told: Told):
        said = told(GENERAL + AGREES)
        assert "input                    400               400            +0.00%" in said
        assert "estimated by us: 25.0% of the tokens, 25.0% of the dollars" in said
        assert said.endswith("Nothing differs by more than 1%.\n")

    def test_a_dated_version_is_the_model_that_was_asked(self, told: Told):
        said = told(OPENAI.replace("300,90,100,200", "300,90,120,180"))
        assert said.endswith("Nothing differs by more than 1%.\n")

    def test_a_difference_within_the_tolerance_is_listed(self, told: Told):
        text = GENERAL + AGREES.replace("mini,300", "mini,303")
        said = told(text, "--tolerance=1")
        assert (
            "  2026-06-01 gpt-4o-mini                      input                 300             303  -0.99%"
            in said
        )
        assert "Nothing differs" in said
        assert "1 of 1 differences are beyond 0.5%. (1)" in told(text, "--tolerance=0.5")

    def test_dollars_less_than_a_cent_apart_are_the_same(self, told: Told):
        assert "Nothing differs" in told(GENERAL + AGREES.replace("0.03\n", "0.035\n"))
        assert "beyond" in told(GENERAL + AGREES.replace("0.03\n", "0.05\n"))

    def test_what_only_one_side_knows_is_beyond_any_tolerance(self, told: Told):
        said = told(GENERAL + AGREES.replace("2026-06-02,gpt-4o,", "2026-06-02,o9,"), "--tolerance=100")
        assert "! 2026-06-02 gpt-4o" in said
        assert "only here" in said
        assert "! 2026-06-02 o9" in said
        assert "only there" in said
        assert said.endswith("(1)")

    def test_days_can_be_chosen(self, told: Told):
        wrong = GENERAL + AGREES.replace("gpt-4o,100", "gpt-4o,999")
        assert "beyond" in told(wrong)
        assert "Nothing differs" in told(wrong, "--to=2026-06-01")
        assert "beyond" in told(wrong, "--from=2026-06-02")
        assert "--to is before --from" in told(wrong, "--from=2026-06-02", "--to=2026-06-01")

    def test_days_of_another_offset_are_the_ledger_s_too(self, told: Told):
        # 23.9 and 25 o'clock of UTC are the second day two hours further east.
        east = "date,model,input_tokens\n2026-06-01T00:00+02:00,gpt-4o-mini,200\n"
        east += "2026-06-02T00:00+02:00,gpt-4o-mini,100\n2026-06-02T00:00+02:00,gpt-4o,100\n"
        assert "Nothing differs" in told(east)

    def test_who_cannot_be_compared_is_told_so(self, told: Told, tmp_path: Path):
        assert told(GENERAL).endswith("the file has no rows with usage (2)")
        (tmp_path / "e.csv").write_text(GENERAL + AGREES)
        with pytest.raises(CommandError, match="knows no provider 'Acme', but OpenAI, other"):
            call_command("reconcile_usage", str(tmp_path / "e.csv"), provider="Acme")
        with pytest.raises(CommandError, match="No such file"):
            call_command("reconcile_usage", str(tmp_path / "none.csv"), provider="OpenAI")
        (tmp_path / "latin.csv").write_bytes(b"date,model,cost\n2026-06-01,caf\xe9,1\n")
        with pytest.raises(CommandError, match="is not text in UTF-8"):
            call_command("reconcile_usage", str(tmp_path / "latin.csv"), provider="OpenAI")

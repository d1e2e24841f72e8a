"""Challengers over HTTP: what they decide otherwise, and who may put them in force."""

import pytest

import riskkit as rk
from riskkit.service.keys import add_key


@pytest.fixture(scope="module", params=[1, pytest.param(2, marks=pytest.mark.slow)])
def workers(request):
    """Challengers are of the engine, whoever takes the connection."""
    return request.param


@pytest.fixture
def challenged(serve, tmp_path):
    path = tmp_path / "tighter.toml"
    path.write_text('[[rules]]\nid = "size"\ntype = "max_order_qty"\nparams = { limit = 3 }\n')
    return serve(challengers={"tighter": str(path)})


def test_a_challenger_says_what_it_decides_otherwise_and_is_promoted_by_another_person(challenged):
    for qty in (2, 4, 9, 5):
        challenged.order(qty=qty)
    (found,) = challenged.ask("GET", "/challengers").json()
    counts = {"refused_by_both": 1, "refused_by_session": 0, "refused_by_challenger": 2}
    assert found.items() >= {"name": "tighter", "stopped": "", **counts}.items()
    rows = challenged.ask("GET", "/challengers/tighter").json()["differences"]
    assert [(row["seq"], row["account"], row["session"], row["challenger"]) for row in rows] == [
        (1, "desk-1", None, "size"),
        (3, "desk-1", None, "size"),
    ]
    assert [row["seq"] for row in challenged.ask("GET", "/challengers/tighter?last=1").json()["differences"]] == [3]
    body = {"why": "a trial of one day"}
    assert challenged.ask("POST", "/challengers/tighter", body).status_code == 403
    promoted = challenged.ask("POST", "/challengers/tighter", body, key="limits")
    assert promoted.json()["rules"][0]["params"]["limit"] == 3
    assert not challenged.order(qty=4).json()["approved"]
    assert challenged.ask("GET", "/challengers").json() == []
    (change,) = challenged.ask("GET", "/limits").json()["changes"]
    assert (change["who"], change["why"]) == ("limits", "a trial of one day")
    digest = challenged.ask("GET", "/journal").json()["digest"]
    challenged.stop()
    opened = rk.open_journal(challenged.folder / "journal")
    assert rk.replay_log(opened.log, opened.history, mode="enforce", compiled=False).digest == digest


def test_what_does_not_fit_is_refused(challenged):
    for path, status, says in (
        ("/challengers/looser", 404, "'looser' is no challenger of this service; it has 'tighter'"),
        ("/challengers/tighter?last=0", 422, "last=0 is not from 1 to 10,000"),
    ):
        answer = challenged.ask("GET", path)
        assert (answer.status_code, answer.json()["error"]) == (status, says)
    assert challenged.ask("POST", "/challengers/tighter", {}, key="limits").status_code == 422


def test_a_key_for_some_accounts_sees_no_challengers(serve):
    served = serve()
    secret = add_key(served.folder / "keys.toml", "one", ["read"], accounts=["desk-1"])
    served.stop()
    served = serve()
    served.keys["one"] = secret
    assert served.ask("GET", "/challengers", key="one").status_code == 403
    assert served.ask("GET", "/challengers").json() == []

"""The tests have the rooms of the package, so that what tests a file is found by its path."""

from pathlib import Path

import pytest
from house.test_layers import ROOMS

TESTS = Path(__file__).parents[1]
ELSEWHERE = {  # rooms without logic of their own, and what holds them
    "rules": "house/test_init.py",
    "sweeps": "house/test_init.py",
    "incidents": "house/test_init.py",
    "vbt": "house/test_init.py",
    "__main__": "cli/test_replay.py",
}
NAMES = [room.removeprefix("riskkit.") for room in ROOMS if room != "riskkit"]
PUBLIC = [name for name in NAMES if not name.startswith("_") or name == "__main__"]


@pytest.mark.parametrize("room", PUBLIC)
def test_a_room_has_its_tests_at_its_path(room):
    folder, _, leaf = room.rpartition(".")
    places = [room.replace(".", "/"), f"{folder}/test_{leaf}.py".lstrip("/"), ELSEWHERE.get(room, "")]
    assert any(place and (TESTS / place).exists() for place in places), f"nothing tests riskkit.{room} at its path"


def test_every_folder_of_tests_is_a_room():
    known = {room.replace(".", "/") for room in PUBLIC} | {"replay/rules/catalogue", "read/formats", "house", "proofs"}
    known |= {"tasks", "naive", "naive/rules", "quantities", "reference", "scenarios", "data"}
    found = {str(path.parent.relative_to(TESTS)) for path in TESTS.rglob("*.py")} - {"."}
    assert found <= known

"""Writes examples/*/data.json from data sets of statsmodels and scikit-learn, and from tables typed from the
literature.

Run `python tools/example_data.py` in the root of the repository. The files are committed: this says where their numbers
come from. Sources and licences stand in the README of each example.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits
from statsmodels import datasets

EXAMPLES = Path(__file__).parent.parent / "examples"

# Rubin (1981), table 1
SCHOOLS = {"y": [28, 8, -3, 7, -1, 1, 18, 12], "sigma": [15, 10, 16, 11, 9, 11, 10, 18]}

# Jarrett (1979): British coal-mining disasters with at least ten dead, by year from 1851 to 1962
DISASTERS = """
4 5 4 1 0 4 3 4 0 6 3 3 4 0 2 6 3 3 5 4 5 3 1 4 4 1 5 5 3 4 2 5 2 2 3 4 2 1 3 2 2 1 1 1 1 3 0 0 1 0 1 1 0 0 3 1 0 3 2 2
0 1 1 1 0 1 0 1 0 0 0 2 1 0 0 0 1 1 0 2 3 3 1 1 2 1 1 1 1 2 4 2 0 0 0 1 4 0 0 0 1 0 0 0 0 0 1 0 0 1 0 1
"""

# Zucchini & MacDonald (2009), table 1.1: earthquakes of magnitude 7 and more in the world, by year from 1900 to 2006
EARTHQUAKES = """
13 14 8 10 16 26 32 27 18 32 36 24 22 23 22 18 25 21 21 14 8 11 14 23 18 17 19 20 22 19 13 26 13 14 22 24 21 22 26 21 23
24 27 41 31 27 35 26 28 36 39 21 17 22 17 19 15 34 10 15 22 18 15 20 15 22 19 16 30 27 29 23 20 16 21 21 25 16 18 15 18
14 10 15 8 15 6 11 8 7 18 16 13 12 13 20 15 16 12 18 15 16 13 15 16 11 11
"""

# Postman, Huchra & Geller (1986), as given by Roeder (1990): velocities of 82 galaxies in km/s. (Widespread copies have
# 26960 where the source has 26690.)
GALAXIES = """
9172 9350 9483 9558 9775 10227 10406 16084 16170 18419 18552 18600 18927 19052 19070 19330 19343 19349 19440 19473 19529
19541 19547 19663 19846 19856 19863 19914 19918 19973 19989 20166 20175 20179 20196 20215 20221 20415 20629 20795 20821
20846 20875 20986 21137 21492 21701 21814 21921 21960 22185 22209 22242 22249 22314 22374 22495 22746 22747 22888 22914
23206 23241 23263 23484 23538 23542 23666 23706 23711 24129 24285 24289 24366 24717 24990 25633 26690 26995 32065 32789
34279
"""


def numbers(text: str) -> list[int]:
    return [int(word) for word in text.split()]


def rounded(values, digits: int = 4) -> list:
    return np.round(np.asarray(values, dtype=float), digits).tolist()


def standardised(columns: np.ndarray) -> np.ndarray:
    return (columns - columns.mean(0)) / columns.std(0)


def write(name: str, **data) -> None:
    lines = ",\n".join(f'  "{key}": {json.dumps(value)}' for key, value in data.items())
    (EXAMPLES / name / "data.json").write_text("{\n" + lines + "\n}\n", encoding="utf-8")


def main() -> None:
    write("eight_schools", **SCHOOLS)
    write("eight_schools_centred", **SCHOOLS)
    write("coal_mining", disasters=numbers(DISASTERS))
    write("earthquakes", K=3, count=numbers(EARTHQUAKES))
    write("earthquake_states", count=numbers(EARTHQUAKES))
    write("galaxies", K=3, velocity=[v / 1000 for v in numbers(GALAXIES)])
    write("nile", flow=datasets.nile.load_pandas().data["volume"].tolist())

    firms = datasets.grunfeld.load_pandas().data
    names = sorted(firms["firm"].unique())
    logs = {c: np.log(firms[c].to_numpy()) for c in ("invest", "value", "capital")}
    write(
        "firm_investment",
        J=len(names),
        firm=[names.index(f) for f in firms["firm"]],
        log_value=rounded(logs["value"] - logs["value"].mean()),
        log_capital=rounded(logs["capital"] - logs["capital"].mean()),
        log_investment=rounded(logs["invest"]),
    )

    cancer = load_breast_cancer()
    columns = [list(cancer.feature_names).index(f"mean {c}") for c in ("radius", "texture", "smoothness", "symmetry")]
    x = standardised(cancer.data[:, columns])
    write("breast_cancer", x=rounded(x, 3), malignant=[int(t == 0) for t in cancer.target])

    plant = datasets.stackloss.load_pandas().data
    x = standardised(plant[["AIRFLOW", "WATERTEMP", "ACIDCONC"]].to_numpy())
    write("stack_loss", x=rounded(x), loss=plant["STACKLOSS"].tolist())

    gdp = datasets.macrodata.load_pandas().data["realgdp"].to_numpy()
    write("growth_volatility", growth=rounded(100 * np.diff(np.log(gdp)), 3))

    engel = datasets.engel.load_pandas().data
    income, food = np.log(engel["income"].to_numpy()), np.log(engel["foodexp"].to_numpy())
    write("food_demand", log_income=rounded(income - income.mean()), log_food=rounded(food))

    write("digits", x=(load_digits().data[:500] > 7).astype(int).tolist())


if __name__ == "__main__":
    main()

"""Hansen's skewed t beside its density, integrated."""

import math

import pytest
from scipy import integrate

from riskkit._check import InputError
from riskkit.var import parametric


def density(x, eta, skew):
    c = math.exp(math.lgamma((eta + 1) / 2) - math.lgamma(eta / 2)) / math.sqrt(math.pi * (eta - 2))
    a = 4 * skew * c * (eta - 2) / (eta - 1)
    b = math.sqrt(1 + 3 * skew**2 - a**2)
    side = 1 - skew if x < -a / b else 1 + skew
    return b * c * (1 + ((b * x + a) / side) ** 2 / (eta - 2)) ** (-(eta + 1) / 2)


@pytest.mark.parametrize("skew", [-0.7, -0.1, 0.0, 0.4, 0.9])
@pytest.mark.parametrize("eta", [2.5, 6.0, 40.0])
@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.999])
def test_skewed_t_against_quadrature(skew, eta, confidence):
    risk = parametric.skewed_t(confidence, df=eta, skew=skew)
    below = integrate.quad(density, -math.inf, -risk.var, (eta, skew), epsabs=1e-12)[0]
    assert below == pytest.approx(1.0 - confidence, rel=1e-5)
    loss = integrate.quad(lambda x: -x * density(x, eta, skew), -math.inf, -risk.var, epsabs=1e-12)[0]
    assert risk.es == pytest.approx(loss / (1.0 - confidence), rel=1e-4)


def test_without_skew_it_is_the_scaled_student_t():
    risk = parametric.skewed_t(0.99, df=5.0, skew=0.0)
    assert risk.var == pytest.approx(parametric.student_t_var(1.0, 0.99, df=5.0))
    assert risk.es == pytest.approx(parametric.student_t_es(1.0, 0.99, df=5.0))


@pytest.mark.parametrize(
    ("options", "words"), [({"df": 2.0, "skew": 0.0}, "not above 2"), ({"df": 5.0, "skew": 1.0}, "skew=1.0")]
)
def test_what_has_no_variance_is_refused(options, words):
    with pytest.raises(InputError, match=words):
        parametric.skewed_t(0.99, **options)

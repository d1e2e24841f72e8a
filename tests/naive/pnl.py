"""Slow plain twins of riskkit.pnl, one scenario and one factor at a time."""


def linear(positions, returns):
    return [sum(w * r for w, r in zip(positions, row, strict=True)) for row in returns]


def delta_gamma(delta, gamma, theta, moves):
    """Second order Taylor expansion with the full matrix of second derivatives."""
    out = []
    for x in moves:
        value = theta
        for i, a in enumerate(x):
            value += delta[i] * a
            for j, b in enumerate(x):
                value += 0.5 * gamma[i][j] * a * b
        out.append(value)
    return out


def leaves(tree):
    """The books below a node of a nested mapping."""
    if isinstance(tree, dict):
        return [book for below in tree.values() for book in leaves(below)]
    return list(tree)

"""The order of the examples in the gallery."""

EXAMPLES = [
    "imbalanced_labels",
    "choosing_k",
    "nested_cv",
    "calibration",
    "rare_events",
    "multi_class",
    "many_outcomes",
    "correlated_features",
    "reporting",
    "fraud_scorecard",
    "proof",
    "cox",
]


def place_of(filename: str) -> int:
    """Place of an example; one that is not listed comes last."""
    name = filename.removeprefix("plot_").removesuffix(".py")
    return EXAMPLES.index(name) if name in EXAMPLES else len(EXAMPLES)

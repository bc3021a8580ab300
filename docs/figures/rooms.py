"""The rooms of the code, floor by floor, from the top down: a file may use its own room and the floors below, nothing else.

``tests/python/test_architecture.py`` holds every ``#include`` and ``import`` against this list, and ``architecture.py`` draws it.
A room is a name, the files that belong to it (as ``glob`` patterns below the root of the part) and what it is for.
"""

PYTHON = {
    "root": "python/ksparse",
    "floors": [
        [("program", ["__main__.py", "_demo.py", "_command_*.py"], "the command line and the demonstration")],
        [("ksparse", ["__init__.py"], "the public names")],
        [
            ("_cards", ["_cards/*.py"], "scorecards from raw tables: bins, points, exports, evaluation"),
            ("scope", ["scope/*.py"], "the names of skscope"),
            ("dask", ["dask.py"], "entries and estimators for rows on several machines"),
        ],
        [
            ("_estimators", ["_estimators/*.py"], "scikit-learn's conventions"),
            ("_scope", ["_scope/*.py"], "objectives written in JAX or NumPy"),
            ("_dask", ["_dask/*.py"], "chunks of rows on workers, and rounds of tasks"),
        ],
        [
            (
                "entries",
                [
                    "_fit.py",
                    "_kinked_fit.py",
                    "_path.py",
                    "_many.py",
                    "_each.py",
                    "_stability.py",
                    "_near_optimal.py",
                    "_check_loss.py",
                    "_told.py",
                    "_batch_blocks.py",
                ],
                "fit, fit_path, fit_many, fit_each, stability_selection, near_optimal, check_loss",
            )
        ],
        [("_results", ["_results/*.py"], "what a fit returns, and how a model is read")],
        [("_plot", ["_plot/*.py"], "displays, which draw arrays")],
        [
            ("_loss", ["_loss.py"], "values of losses"),
            ("_kinked_minimum", ["_kinked_minimum.py"], "minimises a function of a few parameters that may have kinks"),
            ("_model", ["_model.py"], "the attributes of a model that others read"),
            ("_one_standard_error", ["_one_standard_error.py"], "the choice among scores"),
            ("_build_info", ["_build_info.py"], "what was built"),
            ("_executor", ["_executor.py"], "batches on any executor of concurrent.futures"),
            ("_blocks", ["_blocks/*.py"], "answers the search for rows that come in blocks: a file, or several machines"),
        ],
        [("_input", ["_input/*.py"], "every argument is checked here, once: arrays, settings, threads, progress")],
        [("losses", ["losses/*.py"], "the losses, and what their linear predictor means")],
        [
            ("_checks", ["_checks.py"], "numbers, flags and choices"),
            ("_probability", ["_probability.py"], "log-odds and probabilities"),
            ("_caution", ["_caution.py"], "what to say of a status"),
        ],
        [
            ("_core", ["_core.py", "_core.pyi", "_cpu.pyi"], "the compiled core"),
            (
                "leaves",
                ["_optional.py", "_quiet.py", "_warn.py", "exceptions.py", "datasets.py", "numba_math.py"],
                "files that use no other",
            ),
        ],
    ],
}

CPP = {
    "root": "cpp/include/ksparse",
    "floors": [
        [("ksparse.hpp", ["ksparse.hpp"], "the header that programs include")],
        [("run", ["run/*.hpp"], "the entries' definitions: one fit, a path, a batch, resamplings, alternatives")],
        [("proof", ["proof/*.hpp"], "branch and bound: lower bounds on F of all supports, and what they leave out")],
        [("glm", ["glm/*.hpp"], "answers the search for a linear model over X: units, refits, scans")],
        [("search", ["search/*.hpp"], "asks to refit a support and to scan at a point, and never learns who answers")],
        [("entries", ["entries.hpp", "problem.hpp"], "what a program calls, and the data of a problem")],
        [("newton", ["newton/*.hpp"], "minimises a function of a few coefficients, whoever computes it")],
        [
            ("design", ["design/*.hpp"], "kernels over blocks of X, dense and sparse"),
            ("loss", ["loss/*.hpp"], "value, slope and curvature of each loss"),
        ],
        [
            (
                "settings",
                ["settings.hpp", "options.hpp", "constraints.hpp", "groups.hpp", "result.hpp", "certificate.hpp"],
                "what may be set, and what comes back",
            )
        ],
        [("util", ["util/*.hpp"], "vector registers, threads, progress")],
        [("types.hpp", ["types.hpp"], "names of types")],
    ],
}

"""Minimisation of any objective under a sparsity constraint, with solvers that have skscope's names."""

"""Any objective under a constraint of sparsity: the answering party of the search, and solvers with skscope's names."""

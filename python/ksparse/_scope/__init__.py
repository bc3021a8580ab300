"""Any objective under a constraint of sparsity: answers to the search's questions, and solvers with skscope's names."""

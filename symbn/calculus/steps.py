from symbn.calculus.derivation import Step
def explain(problem, wanted, found):
    return ()

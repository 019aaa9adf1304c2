"""TODO runs.result."""



from tinymeta.base.errors import instance, integer, real


SECONDS = ("train_seconds", "compile_seconds")

def check_result(result, where):
    """`result` if it has the form that training writes; else an InputError that names what is wrong.

    The numbers that others build on are checked: counters, seconds, means with their errors, episodes' means, exact values.
    """
    for name in ("env", "agent"):
        instance(f"{where}: {name}", result.get(name), str)
    for name in ("train_seed", "updates", "trials", "env_steps"):
        integer(f"{where}: {name}", result.get(name), low=0)
    for name in SECONDS:
        real(f"{where}: {name}", result.get(name), low=0)
    test = instance(f"{where}: evaluation", result.get("evaluation"), dict)
    for name in ("reward_per_trial", "steps_per_trial", "discounted_return"):
        value = instance(f"{where}: evaluation.{name}", test.get(name), dict)
        real(f"{where}: evaluation.{name}.mean", value.get("mean"))
        if value.get("sem") is not None:
            real(f"{where}: evaluation.{name}.sem", value["sem"], low=0)
    for name in ("reward_per_episode", "steps_per_episode"):
        for k, value in enumerate(instance(f"{where}: evaluation.{name}", test.get(name), list)):
            real(f"{where}: evaluation.{name}[{k}]", value)
    for name in ("bayes_optimal", "informed"):
        exact = instance(f"{where}: evaluation.{name}", test.get(name), dict)
        for key in ("reward_per_trial", "steps_per_trial", "discounted_value"):
            if exact.get(key) is not None:
                real(f"{where}: evaluation.{name}.{key}", exact[key])
    return result

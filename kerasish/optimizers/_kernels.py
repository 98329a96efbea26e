"""Arithmetic on whole lists of tensors: one fused kernel where the tensors allow, `torch._foreach_*`
otherwise.

The fused kernels walk through memory, so they ask for variables without gaps and for gradients with the same
strides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from kerasish.changes import structure

FUSED_DEVICES = ("cpu", "cuda")
FUSED_DTYPES = (torch.float32, torch.float64, torch.bfloat16, torch.float16)


def same_kind(
    gradients: list[Tensor], variables: list[Tensor]
) -> Iterator[tuple[list[Tensor], list[Tensor]]]:
    """Split two parallel lists into parts whose variables share device and dtype."""
    kinds = {(variable.device, variable.dtype) for variable in variables}
    if len(kinds) == 1:
        yield gradients, variables
        return
    for device, dtype in sorted(kinds, key=str):
        chosen = [i for i, v in enumerate(variables) if v.device == device and v.dtype == dtype]
        yield [gradients[i] for i in chosen], [variables[i] for i in chosen]


def update_where(condition: Tensor, state: Sequence[Tensor], update: Callable[[], None]) -> None:
    """Run `update`, which changes `state` in place, and undo it where the 0-d `condition` is false."""
    before = [tensor.clone() for tensor in state]
    update()
    for tensor, old in zip(state, before, strict=True):
        torch.where(condition.to(tensor.device), tensor, old, out=tensor)


def is_fusable(variables: Sequence[Tensor]) -> bool:
    """Whether the fused kernels take these variables, all of one device and dtype."""
    first = variables[0]
    if first.device.type not in FUSED_DEVICES or first.dtype not in FUSED_DTYPES:
        return False
    for variable in variables:  # noqa: SIM110 - a generator costs a call per variable
        if not (variable.is_contiguous() or is_dense(variable)):
            return False
    return True


def is_dense(x: Tensor) -> bool:
    """Whether the elements fill their memory without gaps, channels last or transposed."""
    return (
        (x.dim() == 4 and x.is_contiguous(memory_format=torch.channels_last))
        or (x.dim() == 5 and x.is_contiguous(memory_format=torch.channels_last_3d))
        or (x.dim() == 2 and x.t().is_contiguous())
    )


def aligned(gradients: Sequence[Tensor], variables: Sequence[Tensor]) -> list[Tensor]:
    """The gradients with the strides of their variables, copied where they differ."""
    return [
        gradient if gradient.stride() == variable.stride() else torch.empty_like(variable).copy_(gradient)
        for gradient, variable in zip(gradients, variables, strict=True)
    ]


def descend_(variables: list[Tensor], steps: Sequence[Tensor], learning_rate: Tensor) -> None:
    """`w ← w − learning_rate · step` for tensors of one device and dtype and a 0-d `learning_rate`."""
    if is_fusable(variables):
        torch._fused_sgd_(
            variables,
            aligned(steps, variables),
            [],
            weight_decay=0.0,
            momentum=0.0,
            lr=learning_rate.float(),
            dampening=0.0,
            nesterov=False,
            maximize=False,
            is_first_step=False,
        )
    else:
        torch._foreach_sub_(variables, torch._foreach_mul(list(steps), learning_rate))


def accelerate_(
    variables: list[Tensor],
    gradients: list[Tensor],
    momentums: list[Tensor],
    learning_rate: Tensor,
    momentum: float,
    nesterov: bool,
) -> None:
    """`m ← momentum · m − lr · g`, then `w ← w + m`, with Nesterov `w ← w + momentum · m − lr · g`.

    The fused kernel does just this at a rate of −1 with gradients divided by −1 / learning_rate. It leaves the
    quotients where the gradients were, so these are copied unless nobody is going to read them.
    """
    if is_fusable(variables) and variables[0].dtype is torch.float32:
        gradients = aligned(gradients, variables)
        if not structure.is_recording or len({g.untyped_storage()._cdata for g in gradients}) < len(
            gradients
        ):
            gradients = [gradient.clone() for gradient in gradients]
        torch._fused_sgd_(
            variables,
            gradients,
            momentums,
            weight_decay=0.0,
            momentum=momentum,
            lr=-1.0,
            dampening=0.0,
            nesterov=nesterov,
            maximize=False,
            is_first_step=False,
            grad_scale=-learning_rate.float().reciprocal(),
        )
        return
    torch._foreach_mul_(momentums, momentum)
    descend_(momentums, gradients, learning_rate)
    if nesterov:
        torch._foreach_add_(variables, momentums, alpha=momentum)
        descend_(variables, gradients, learning_rate)
    else:
        torch._foreach_add_(variables, momentums)


def track_square_(averages: list[Tensor], gradients: list[Tensor], rho: float) -> None:
    """`a ← rho · a + (1 − rho) · g²`."""
    torch._foreach_mul_(averages, rho)
    torch._foreach_addcmul_(averages, gradients, gradients, value=1.0 - rho)


def adam_step_size(iterations: Tensor, learning_rate: Tensor, beta_1: float, beta_2: float) -> Tensor:
    """`α = lr · √(1 − beta_2^t) / (1 − beta_1^t)` at t = iterations + 1, a 0-d tensor."""
    step = (iterations + 1).to(learning_rate.device)
    return learning_rate * torch.sqrt(1.0 - torch.pow(beta_2, step)) / (1.0 - torch.pow(beta_1, step))


def endless_step(device: torch.device) -> Tensor:
    """A step count t so large that `1 − beta^t` is 1."""
    return torch.full((), 1e30, device=device)


def adam_(
    variables: list[Tensor],
    gradients: list[Tensor],
    momentums: list[Tensor],
    velocities: list[Tensor],
    velocity_hats: list[Tensor],
    *,
    step_size: Tensor,
    endless: Tensor,
    beta_1: float,
    beta_2: float,
    epsilon: float,
) -> None:
    """Update m and v (and the maximum of v, where given), then `w ← w − step_size · m / (√v + epsilon)`.

    The fused kernel gets `endless`, a step count at which its own bias corrections are exactly 1.
    """
    if is_fusable(variables):
        torch._fused_adam_(
            variables,
            aligned(gradients, variables),
            momentums,
            velocities,
            velocity_hats,
            [endless.to(variables[0].device)] * len(variables),
            lr=step_size.float(),
            beta1=beta_1,
            beta2=beta_2,
            weight_decay=0.0,
            eps=epsilon,
            amsgrad=bool(velocity_hats),
            maximize=False,
        )
        return
    torch._foreach_lerp_(momentums, gradients, 1.0 - beta_1)
    track_square_(velocities, gradients, beta_2)
    if velocity_hats:
        torch._foreach_maximum_(velocity_hats, velocities)
    scales = torch._foreach_sqrt(velocity_hats or velocities)
    torch._foreach_add_(scales, epsilon)
    torch._foreach_addcdiv_(variables, torch._foreach_mul(momentums, step_size), scales, value=-1.0)

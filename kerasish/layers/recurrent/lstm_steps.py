"""All time steps of an LSTM on the CPU, with its gradients.

oneDNN's LSTM, which `torch.nn.LSTM` uses there, cannot be recorded: without gradients asked for it keeps nothing for
its backward pass. Autograd over single steps adds up the gradient of the recurrent weights step by step; here it is
one matrix product.
"""

# T time, B batch, U units

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class LSTMSteps(torch.autograd.Function):
    """Outputs (T, B, U) and last cell state (B, U), from the input's part of the gates i, f, c, o (T, B, 4U)."""

    @staticmethod
    def forward(
        ctx: Any, projected: Tensor, h: Tensor, c: Tensor, recurrent_kernel: Tensor
    ) -> tuple[Tensor, Tensor]:
        time, batch, _ = projected.shape
        u = h.shape[-1]
        gates = torch.empty_like(projected)
        outputs, cells = projected.new_empty(time + 1, batch, u), projected.new_empty(time + 1, batch, u)
        squashed = projected.new_empty(time, batch, u)
        outputs[0], cells[0] = h, c
        for t in range(time):
            torch.addmm(projected[t], outputs[t], recurrent_kernel, out=gates[t])
            gates[t, :, : 2 * u].sigmoid_()
            i, f, candidate, o = gates[t].chunk(4, dim=1)
            candidate.tanh_()
            o.sigmoid_()
            torch.mul(f, cells[t], out=cells[t + 1]).addcmul_(i, candidate)
            torch.tanh(cells[t + 1], out=squashed[t])
            torch.mul(o, squashed[t], out=outputs[t + 1])
        ctx.save_for_backward(recurrent_kernel, gates, outputs, cells, squashed)
        return outputs[1:], cells[time]

    @staticmethod
    def backward(ctx: Any, d_outputs: Tensor, d_cell: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        if torch.is_grad_enabled():
            raise RuntimeError(
                "For gradients of gradients give the LSTM `use_cudnn=False`: it then goes step by step."
            )
        recurrent_kernel, gates, outputs, cells, squashed = ctx.saved_tensors
        time, u = squashed.shape[0], squashed.shape[-1]
        d_gates = torch.empty_like(gates)
        transposed = recurrent_kernel.t()
        dh = torch.zeros_like(d_cell)
        dc = d_cell.clone()
        sigmoid_backward, tanh_backward = torch.ops.aten.sigmoid_backward, torch.ops.aten.tanh_backward
        for t in range(time - 1, -1, -1):
            i, f, candidate, o = gates[t].chunk(4, dim=1)
            di, df, d_candidate, do = d_gates[t].chunk(4, dim=1)
            dh.add_(d_outputs[t])
            torch.mul(dh, squashed[t], out=do)
            dc.add_(tanh_backward(dh.mul_(o), squashed[t]))
            torch.mul(dc, candidate, out=di)
            torch.mul(dc, cells[t], out=df)
            torch.mul(dc, i, out=d_candidate)
            dc.mul_(f)
            rates, d_rates = gates[t, :, : 2 * u], d_gates[t, :, : 2 * u]
            sigmoid_backward(d_rates, rates, grad_input=d_rates)
            tanh_backward(d_candidate, candidate, grad_input=d_candidate)
            sigmoid_backward(do, o, grad_input=do)
            torch.mm(d_gates[t], transposed, out=dh)
        d_kernel = outputs[:-1].flatten(0, 1).t() @ d_gates.flatten(0, 1)
        return d_gates, dh, dc, d_kernel

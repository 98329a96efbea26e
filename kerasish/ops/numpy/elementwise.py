"""Arithmetic, rounding, powers, exponentials and trigonometry, element by element."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from kerasish.dtypes import is_int_dtype
from kerasish.ops.core import convert_to_tensor
from kerasish.ops.operands import as_float, as_float_of_width, as_narrow_float, operands, promoted
from kerasish.ops.operation import operation


@operation
def add(x1: Any, x2: Any) -> Any:
    """Return `x1 + x2`."""
    return torch.add(*operands(x1, x2))


@operation
def subtract(x1: Any, x2: Any) -> Any:
    """Return `x1 − x2`."""
    x1, x2 = operands(x1, x2)
    booleans = [isinstance(x, Tensor) and x.dtype is torch.bool for x in (x1, x2)]
    if booleans[0] != booleans[1]:
        dtype = torch.result_type(x1, x2)
        x1, x2 = (x.to(dtype) if is_bool else x for x, is_bool in zip((x1, x2), booleans, strict=True))
    return torch.sub(x1, x2)


@operation
def multiply(x1: Any, x2: Any) -> Any:
    """Return `x1 · x2`."""
    return torch.mul(*operands(x1, x2))


@operation
def divide(x1: Any, x2: Any) -> Any:
    """Return `x1 / x2` as floating-point numbers."""
    return torch.true_divide(*operands(x1, x2))


@operation
def true_divide(x1: Any, x2: Any) -> Any:
    """Return `x1 / x2` as floating-point numbers."""
    return torch.true_divide(*operands(x1, x2))


@operation
def divide_no_nan(x1: Any, x2: Any) -> Any:
    """Return `x1 / x2`, and 0 where `x2` is 0; the gradient is 0 there, too."""
    x1, x2 = promoted(x1, x2, with_float=True)
    is_zero = x2 == 0
    return (x1 / x2.masked_fill(is_zero, 1)).masked_fill(is_zero, 0)


@operation
def floor_divide(x1: Any, x2: Any) -> Any:
    """Return `⌊x1 / x2⌋`."""
    return torch.floor_divide(*promoted(x1, x2))


@operation
def mod(x1: Any, x2: Any) -> Any:
    """Return `x1 − ⌊x1 / x2⌋ · x2`: the remainder with the sign of `x2`."""
    return torch.remainder(*_not_both_bool(x1, x2))


@operation
def fmod(x1: Any, x2: Any) -> Any:
    """Return the remainder of `x1 / x2` with the sign of `x1`."""
    return torch.fmod(*_not_both_bool(x1, x2))


def _not_both_bool(x1: Any, x2: Any) -> tuple[Tensor, Tensor]:
    x1, x2 = (x if isinstance(x, Tensor) else convert_to_tensor(x) for x in operands(x1, x2))
    return (x1.int(), x2) if x1.dtype is x2.dtype is torch.bool else (x1, x2)


@operation
def power(x1: Any, x2: Any) -> Any:
    """Return `x1` raised to the power `x2`."""
    return torch.pow(*operands(x1, x2))


@operation
def maximum(x1: Any, x2: Any) -> Any:
    """Return the larger of the two, NaN where either is."""
    return torch.maximum(*promoted(x1, x2))


@operation
def minimum(x1: Any, x2: Any) -> Any:
    """Return the smaller of the two, NaN where either is."""
    return torch.minimum(*promoted(x1, x2))


@operation
def fmax(x1: Any, x2: Any) -> Any:
    """Return the larger of the two; where one is NaN, the other."""
    return torch.fmax(*promoted(x1, x2))


@operation
def fmin(x1: Any, x2: Any) -> Any:
    """Return the smaller of the two; where one is NaN, the other."""
    return torch.fmin(*promoted(x1, x2))


def _floats(x1: Any, x2: Any) -> list[Tensor]:
    return promoted(convert_to_tensor(x1), convert_to_tensor(x2), with_float=True)


@operation
def arctan2(x1: Any, x2: Any) -> Any:
    """Return the angle, in (−π, π], of the point with ordinate `x1` and abscissa `x2`."""
    return torch.atan2(*_floats(x1, x2))


@operation
def hypot(x1: Any, x2: Any) -> Any:
    """Return `√(x1² + x2²)`."""
    return torch.hypot(*_floats(x1, x2))


@operation
def logaddexp(x1: Any, x2: Any) -> Any:
    """Return `log(exp(x1) + exp(x2))` without overflow."""
    return torch.logaddexp(*_floats(x1, x2))


@operation
def logaddexp2(x1: Any, x2: Any) -> Any:
    """Return `log₂(2^x1 + 2^x2)` without overflow."""
    return torch.logaddexp2(*_floats(x1, x2))


@operation
def heaviside(x1: Any, x2: Any) -> Any:
    """Return 0 where `x1 < 0`, `x2` where `x1 = 0` and 1 where `x1 > 0`."""
    x1, x2 = convert_to_tensor(x1), convert_to_tensor(x2)
    return torch.heaviside(*promoted(x1, x2, with_float=not x1.dtype is x2.dtype is torch.bool))


@operation
def nextafter(x1: Any, x2: Any) -> Any:
    """Return the floating-point number next to `x1` in the direction of `x2`."""
    return torch.nextafter(*_floats(x1, x2))


@operation
def ldexp(x1: Any, x2: Any) -> Any:
    """Return `x1 · 2^x2` for integers `x2`."""
    x1, x2 = convert_to_tensor(x1), convert_to_tensor(x2)
    if not is_int_dtype(x2.dtype):
        raise TypeError(f"The exponents `x2` of `ldexp` must be integers. Received: x2.dtype={x2.dtype}")
    return torch.ldexp(promoted(x1, x2, with_float=True)[0], x2)


@operation
def gcd(x1: Any, x2: Any) -> Any:
    """Return the greatest common divisor of integers."""
    return torch.gcd(convert_to_tensor(x1), convert_to_tensor(x2))


@operation
def lcm(x1: Any, x2: Any) -> Any:
    """Return the least common multiple of integers."""
    return torch.lcm(convert_to_tensor(x1), convert_to_tensor(x2))


@operation
def clip(x: Any, x_min: Any, x_max: Any) -> Any:
    """Return `min(max(x, x_min), x_max)`; a bound of None is no bound."""
    x = convert_to_tensor(x)
    if x.dtype is torch.bool:
        x = x.int()
    dtype = x.dtype
    for bound, limit in ((x_min, torch.clamp_min), (x_max, torch.clamp_max)):
        if bound is not None:
            x = limit(*operands(x, bound))
    return x.to(dtype) if dtype is torch.float16 else x


@operation
def absolute(x: Any) -> Any:
    """Return `|x|`."""
    x = convert_to_tensor(x)
    return x if x.dtype is torch.bool else torch.abs(x)


@operation
def abs(x: Any) -> Any:
    """Return `|x|`."""
    return absolute(x)


@operation
def fabs(x: Any) -> Any:
    """Return `|x|` as floating-point numbers."""
    return torch.abs(as_float(x))


@operation
def negative(x: Any) -> Any:
    """Return `−x`."""
    return torch.neg(convert_to_tensor(x))


@operation
def sign(x: Any) -> Any:
    """Return −1, 0 or 1, the sign of `x`."""
    return torch.sign(convert_to_tensor(x))


@operation
def signbit(x: Any) -> Any:
    """Return whether the sign bit of `x` is set, as it is of −0.0."""
    return torch.signbit(convert_to_tensor(x))


@operation
def square(x: Any) -> Any:
    """Return `x²`."""
    x = convert_to_tensor(x)
    return torch.square(x.int() if x.dtype is torch.bool else x)


@operation
def sqrt(x: Any) -> Any:
    """Return `√x`."""
    return torch.sqrt(as_float(x))


@operation
def cbrt(x: Any) -> Any:
    """Return the real cube root, negative for negative `x`."""
    x = as_float_of_width(x)
    return torch.copysign(x.abs().pow(1 / 3), x)


@operation
def reciprocal(x: Any) -> Any:
    """Return `1 / x`."""
    return torch.reciprocal(as_float(x))


@operation
def ceil(x: Any) -> Any:
    """Return the smallest integer not below `x`, as a floating-point number."""
    return torch.ceil(as_narrow_float(x))


@operation
def floor(x: Any) -> Any:
    """Return the largest integer not above `x`, as a floating-point number."""
    return torch.floor(as_narrow_float(x))


@operation
def trunc(x: Any) -> Any:
    """Return `x` rounded towards zero."""
    x = convert_to_tensor(x)
    return torch.trunc(x) if x.is_floating_point() else x


@operation
def round(x: Any, decimals: int = 0) -> Any:
    """Return `x` rounded to a number of decimals, which may be negative; halves go to the even neighbour."""
    x = convert_to_tensor(x)
    if x.is_floating_point():
        return torch.round(x, decimals=decimals)
    return x if decimals >= 0 else torch.round(x.double(), decimals=decimals).to(x.dtype)


@operation
def exp(x: Any) -> Any:
    """Return `e^x`."""
    return torch.exp(as_float(x))


@operation
def exp2(x: Any) -> Any:
    """Return `2^x`."""
    return torch.exp2(as_float(x))


@operation
def expm1(x: Any) -> Any:
    """Return `e^x − 1`, exact for small `x`."""
    return torch.expm1(as_float(x))


@operation
def log(x: Any) -> Any:
    """Return the natural logarithm."""
    return torch.log(as_float(x))


@operation
def log10(x: Any) -> Any:
    """Return the logarithm to base 10."""
    return torch.log10(as_float(x))


@operation
def log1p(x: Any) -> Any:
    """Return `log(1 + x)`, exact for small `x`."""
    return torch.log1p(as_float(x))


@operation
def log2(x: Any) -> Any:
    """Return the logarithm to base 2."""
    return torch.log2(as_float(x))


@operation
def sin(x: Any) -> Any:
    """Return the sine of `x`, in radians."""
    return torch.sin(as_float(x))


@operation
def cos(x: Any) -> Any:
    """Return the cosine of `x`, in radians."""
    return torch.cos(as_float(x))


@operation
def tan(x: Any) -> Any:
    """Return the tangent of `x`, in radians."""
    return torch.tan(as_float(x))


@operation
def arcsin(x: Any) -> Any:
    """Return the angle in [−π/2, π/2] whose sine is `x`."""
    return torch.asin(as_float(x))


@operation
def arccos(x: Any) -> Any:
    """Return the angle in [0, π] whose cosine is `x`."""
    return torch.acos(as_float(x))


@operation
def arctan(x: Any) -> Any:
    """Return the angle in (−π/2, π/2) whose tangent is `x`."""
    return torch.atan(as_float(x))


@operation
def sinh(x: Any) -> Any:
    """Return the hyperbolic sine, `(e^x − e^−x) / 2`."""
    return torch.sinh(as_float(x))


@operation
def cosh(x: Any) -> Any:
    """Return the hyperbolic cosine, `(e^x + e^−x) / 2`."""
    return torch.cosh(as_float(x))


@operation
def tanh(x: Any) -> Any:
    """Return the hyperbolic tangent, `sinh x / cosh x`."""
    return torch.tanh(as_float(x))


@operation
def arcsinh(x: Any) -> Any:
    """Return the inverse of the hyperbolic sine."""
    return torch.asinh(as_float(x))


@operation
def arccosh(x: Any) -> Any:
    """Return the non-negative inverse of the hyperbolic cosine."""
    return torch.acosh(as_float(x))


@operation
def arctanh(x: Any) -> Any:
    """Return the inverse of the hyperbolic tangent."""
    return torch.atanh(as_float(x))


@operation
def deg2rad(x: Any) -> Any:
    """Return degrees as radians, `x · π / 180`."""
    return torch.deg2rad(as_float_of_width(x))


@operation
def rad2deg(x: Any) -> Any:
    """Return radians as degrees, `x · 180 / π`."""
    return torch.rad2deg(as_float_of_width(x))


@operation
def sinc(x: Any) -> Any:
    """Return `sin(πx) / (πx)`, and 1 at 0."""
    return torch.sinc(as_float(x))


@operation
def i0(x: Any) -> Any:
    """Return the modified Bessel function of the first kind of order 0."""
    return torch.i0(as_float_of_width(x))


@operation
def angle(x: Any) -> Any:
    """Return the argument of complex numbers; of real ones 0, or π where they are negative."""
    return torch.angle(as_float(x))


@operation
def real(x: Any) -> Any:
    """Return the real part."""
    return torch.real(convert_to_tensor(x))


@operation
def imag(x: Any) -> Any:
    """Return the imaginary part: 0 for real `x`."""
    x = convert_to_tensor(x)
    return torch.imag(x) if x.is_complex() else torch.zeros_like(x)


@operation
def conjugate(x: Any) -> Any:
    """Return the complex conjugate."""
    return torch.conj(convert_to_tensor(x))


@operation
def conj(x: Any) -> Any:
    """Return the complex conjugate."""
    return conjugate(x)


@operation
def nan_to_num(x: Any, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Any:
    """Return `x` with NaN and the infinities replaced, the latter by the largest finite numbers for None."""
    return torch.nan_to_num(convert_to_tensor(x), nan=nan, posinf=posinf, neginf=neginf)

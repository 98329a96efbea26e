import numpy as np
import torch

from kerasish import losses

rng = np.random.default_rng(0)
t, p = rng.dirichlet(np.ones(4), size=(2, 5))


def test_kl_divergence():
    np.testing.assert_allclose(losses.kl_divergence(t, p), (t * np.log(t / p)).sum(-1))
    assert losses.kl_divergence([[1.0, 0.0]], [[1.0, 0.0]]).tolist() == [0]
    assert losses.kl_divergence([[1.0, 0.0]], [[0.0, 1.0]]).isfinite().all()


def test_poisson():
    np.testing.assert_allclose(losses.poisson(t, p), (p - t * np.log(p)).mean(-1), rtol=1e-5)
    expected = torch.nn.functional.poisson_nll_loss(
        torch.tensor(p), torch.tensor(t), log_input=False, eps=1e-7
    )
    torch.testing.assert_close(losses.Poisson(dtype="float64")(t, p), expected)

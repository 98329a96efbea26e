import numpy as np
import torch

from kerasish import losses

rng = np.random.default_rng(0)
embeddings = rng.normal(size=(6, 4))
embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
labels = np.array([0, 1, 0, 1, 2, 0])


def by_hand(gamma, margin):
    """Equation 6 of the paper, pair by pair."""
    similarity = embeddings @ embeddings.T
    values = []
    for i in range(6):
        positives = [similarity[i, j] for j in range(6) if labels[j] == labels[i] and j != i]
        negatives = [similarity[i, j] for j in range(6) if labels[j] != labels[i]]
        near = sum(np.exp(-gamma * max(1 + margin - s, 0) * (s - 1 + margin)) for s in positives)
        far = sum(np.exp(gamma * max(s + margin, 0) * (s - margin)) for s in negatives)
        values.append(np.log1p(near * far))
    return np.array(values)


def test_formula():
    np.testing.assert_allclose(
        losses.circle(labels, embeddings, gamma=8, margin=0.3), by_hand(8, 0.3), rtol=1e-6
    )


def test_samples_without_a_pair_do_not_count():
    values = by_hand(8, 0.3)
    assert values[4] == 0
    mean = losses.Circle(gamma=8, margin=0.3, dtype="float64")(labels, embeddings)
    np.testing.assert_allclose(mean, values[values > 0].mean(), rtol=1e-6)


def test_gradient_is_finite_without_any_pair():
    prediction = torch.tensor(embeddings[:3], requires_grad=True)
    losses.Circle()(torch.tensor([0, 1, 2]), prediction).backward()
    assert prediction.grad.tolist() == np.zeros((3, 4)).tolist()


def test_references():
    whole = losses.circle(labels, embeddings, remove_diagonal=False)
    part = losses.circle(labels[:2], embeddings[:2], labels, embeddings, remove_diagonal=False)
    np.testing.assert_allclose(part, whole[:2])

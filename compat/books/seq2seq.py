"""Translation by recurrent networks: states handed from encoder to decoder, masks, attention, inference models."""

import keras
import numpy as np
from equal import set_equal_weights, show
from keras import layers, ops

VOCABULARY, LENGTH, UNITS = 20, 7, 8
generator = np.random.default_rng(4)
sources = generator.integers(1, VOCABULARY, (48, LENGTH)) * (
    np.arange(LENGTH) < generator.integers(3, 8, (48, 1))
)
targets = np.concatenate([np.ones((48, 1), "int64"), sources[:, ::-1]], axis=1)
decoder_x, decoder_y = targets[:, :-1], targets[:, 1:]

# 1. One-hot characters, LSTM states
one_hot = np.eye(VOCABULARY, dtype="float32")
encoder_inputs = keras.Input(shape=(None, VOCABULARY))
encoder = layers.LSTM(UNITS, return_state=True)
encoder_outputs, state_h, state_c = encoder(encoder_inputs)
encoder_states = [state_h, state_c]
decoder_inputs = keras.Input(shape=(None, VOCABULARY))
decoder_lstm = layers.LSTM(UNITS, return_sequences=True, return_state=True)
decoder_outputs, _, _ = decoder_lstm(decoder_inputs, initial_state=encoder_states)
decoder_dense = layers.Dense(VOCABULARY, activation="softmax")
decoder_outputs = decoder_dense(decoder_outputs)
model = keras.Model([encoder_inputs, decoder_inputs], decoder_outputs)
set_equal_weights(model)
model.compile(optimizer="rmsprop", loss="categorical_crossentropy", metrics=["accuracy"])
history = model.fit(
    [one_hot[sources], one_hot[decoder_x]],
    one_hot[decoder_y],
    batch_size=16,
    epochs=2,
    shuffle=False,
    verbose=0,
)
show("characters", history.history["loss"], history.history["accuracy"])

encoder_model = keras.Model(encoder_inputs, encoder_states)
state_inputs = [keras.Input(shape=(UNITS,)), keras.Input(shape=(UNITS,))]
outputs, h, c = decoder_lstm(decoder_inputs, initial_state=state_inputs)
decoder_model = keras.Model([decoder_inputs] + state_inputs, [decoder_dense(outputs), h, c])
states = encoder_model.predict(one_hot[sources[:1]], verbose=0)
token, written = 1, []
for _ in range(4):
    probabilities, h, c = decoder_model.predict([one_hot[[[token]]]] + states, verbose=0)
    token = int(probabilities[0, -1].argmax())
    written.append(token)
    states = [h, c]
print("written", written)

# 2. Embeddings with masks, a bidirectional encoder, additive and dot attention
for attention in [layers.Attention(), layers.AdditiveAttention(), None]:
    source = keras.Input(shape=(None,), dtype="int64", name="english")
    x = layers.Embedding(VOCABULARY, 8, mask_zero=True)(source)
    sequence, *states = layers.Bidirectional(
        layers.LSTM(UNITS // 2, return_sequences=True, return_state=True)
    )(x)
    states = [layers.concatenate(states[::2], axis=-1), layers.concatenate(states[1::2], axis=-1)]
    past_target = keras.Input(shape=(None,), dtype="int64", name="spanish")
    x = layers.Embedding(VOCABULARY, 8, mask_zero=True)(past_target)
    x = layers.LSTM(UNITS, return_sequences=True)(x, initial_state=states)
    if attention is not None:
        x = layers.Concatenate()([x, attention([x, sequence])])
    target_next = layers.Dense(VOCABULARY, activation="softmax")(x)
    model = keras.Model([source, past_target], target_next)
    set_equal_weights(model)
    model.compile(optimizer="nadam", loss="sparse_categorical_crossentropy", weighted_metrics=["accuracy"])
    history = model.fit(
        {"english": sources, "spanish": decoder_x},
        decoder_y,
        epochs=2,
        batch_size=16,
        shuffle=False,
        verbose=0,
    )
    show(type(attention).__name__, history.history["loss"])


# 3. A subclassed GRU pair, teacher forcing, a loss with a mask of its own
class Encoder(keras.Model):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.embedding = layers.Embedding(VOCABULARY, units)
        self.gru = layers.GRU(units, return_sequences=True, return_state=True)

    def call(self, x):
        return self.gru(self.embedding(x))


class Decoder(keras.Model):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.embedding = layers.Embedding(VOCABULARY, units)
        self.cell = layers.GRUCell(units)
        self.projection = layers.Dense(VOCABULARY)

    def call(self, x, state):
        embedded = self.embedding(x)
        outputs = []
        for step in range(embedded.shape[1]):
            output, state = self.cell(embedded[:, step], state)
            state = state[0] if isinstance(state, (list, tuple)) else state
            outputs.append(self.projection(output))
        return ops.stack(outputs, axis=1)


class Translator(keras.Model):
    def __init__(self, units):
        super().__init__()
        self.encoder = Encoder(units)
        self.decoder = Decoder(units)

    def call(self, inputs):
        source, target = inputs
        _, state = self.encoder(source)
        return self.decoder(target, state)


def masked_loss(y_true, y_pred):
    losses = ops.sparse_categorical_crossentropy(y_true, y_pred, from_logits=True)
    mask = ops.cast(ops.not_equal(y_true, 0), losses.dtype)
    return ops.sum(losses * mask) / ops.sum(mask)


def masked_accuracy(y_true, y_pred):
    right = ops.equal(ops.cast(y_true, "int64"), ops.cast(ops.argmax(y_pred, axis=-1), "int64"))
    mask = ops.not_equal(y_true, 0)
    return ops.sum(ops.cast(ops.logical_and(right, mask), "float32")) / ops.sum(ops.cast(mask, "float32"))


translator = Translator(UNITS)
print("output", tuple(translator([sources[:2], decoder_x[:2]]).shape))
set_equal_weights(translator)
translator.compile("adam", loss=masked_loss, metrics=[masked_accuracy])
history = translator.fit([sources, decoder_x], decoder_y, epochs=2, batch_size=16, shuffle=False, verbose=0)
show("subclassed", history.history["loss"], history.history["masked_accuracy"])
translator.summary()

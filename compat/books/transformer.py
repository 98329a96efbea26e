"""A transformer encoder for text from layers of one's own, saved and loaded; a decoder that writes sequences."""

import os
import tempfile

import keras
import numpy as np
from equal import set_equal_weights, show
from keras import layers, ops

VOCABULARY, LENGTH = 30, 12
generator = np.random.default_rng(3)
lengths = generator.integers(4, LENGTH + 1, 64)
tokens = generator.integers(1, VOCABULARY, (64, LENGTH)) * (np.arange(LENGTH) < lengths[:, None])
labels = (tokens == 7).any(1).astype("float32")


class TransformerEncoder(layers.Layer):
    def __init__(self, embed_dim, dense_dim, num_heads, **kwargs):
        super().__init__(**kwargs)
        self.embed_dim = embed_dim
        self.dense_dim = dense_dim
        self.num_heads = num_heads
        self.attention = layers.MultiHeadAttention(num_heads=num_heads, key_dim=embed_dim)
        self.dense_proj = keras.Sequential(
            [layers.Dense(dense_dim, activation="relu"), layers.Dense(embed_dim)]
        )
        self.layernorm_1 = layers.LayerNormalization()
        self.layernorm_2 = layers.LayerNormalization()
        self.supports_masking = True

    def call(self, inputs, mask=None):
        if mask is not None:
            mask = mask[:, None, :]
        attention_output = self.attention(inputs, inputs, attention_mask=mask)
        proj_input = self.layernorm_1(inputs + attention_output)
        return self.layernorm_2(proj_input + self.dense_proj(proj_input))

    def get_config(self):
        config = super().get_config()
        config.update({"embed_dim": self.embed_dim, "num_heads": self.num_heads, "dense_dim": self.dense_dim})
        return config


class PositionalEmbedding(layers.Layer):
    def __init__(self, sequence_length, input_dim, output_dim, **kwargs):
        super().__init__(**kwargs)
        self.token_embeddings = layers.Embedding(input_dim=input_dim, output_dim=output_dim)
        self.position_embeddings = layers.Embedding(input_dim=sequence_length, output_dim=output_dim)
        self.sequence_length = sequence_length
        self.input_dim = input_dim
        self.output_dim = output_dim

    def call(self, inputs):
        length = ops.shape(inputs)[-1]
        positions = ops.arange(0, length, 1)
        return self.token_embeddings(inputs) + self.position_embeddings(positions)

    def compute_mask(self, inputs, mask=None):
        return ops.not_equal(inputs, 0)

    def get_config(self):
        config = super().get_config()
        config.update(
            {
                "output_dim": self.output_dim,
                "sequence_length": self.sequence_length,
                "input_dim": self.input_dim,
            }
        )
        return config


inputs = keras.Input(shape=(None,), dtype="int64")
x = PositionalEmbedding(LENGTH, VOCABULARY, 8)(inputs)
x = TransformerEncoder(8, 16, 2)(x)
x = layers.GlobalMaxPooling1D()(x)
x = layers.Dropout(0.0)(x)
outputs = layers.Dense(1, activation="sigmoid")(x)
model = keras.Model(inputs, outputs)
set_equal_weights(model)
model.compile(optimizer=keras.optimizers.Adam(1e-2), loss="binary_crossentropy", metrics=["accuracy"])
full = np.where(tokens == 0, 1, tokens)  # Keras's gradients are wrong for a query that sees no key
history = model.fit(full, labels, epochs=3, batch_size=16, shuffle=False, verbose=0)
show("encoder", history.history["loss"], history.history["accuracy"])
path = os.path.join(tempfile.mkdtemp(), "encoder.keras")
model.save(path)
custom = {"TransformerEncoder": TransformerEncoder, "PositionalEmbedding": PositionalEmbedding}
loaded = keras.models.load_model(path, custom_objects=custom)
show("loaded", loaded.evaluate(full, labels, verbose=0))
print("same", np.allclose(model.predict(tokens, verbose=0), loaded.predict(tokens, verbose=0), atol=1e-6))


# A decoder with causal self-attention and cross-attention
class TransformerDecoder(layers.Layer):
    def __init__(self, embed_dim, dense_dim, num_heads, **kwargs):
        super().__init__(**kwargs)
        self.attention_1 = layers.MultiHeadAttention(num_heads, embed_dim)
        self.attention_2 = layers.MultiHeadAttention(num_heads, embed_dim)
        self.dense_1 = layers.Dense(dense_dim, activation="relu")
        self.dense_2 = layers.Dense(embed_dim)
        self.norms = [layers.LayerNormalization() for _ in range(3)]
        self.supports_masking = True

    def get_causal_attention_mask(self, inputs):
        length = ops.shape(inputs)[1]
        i = ops.arange(length)[:, None]
        j = ops.arange(length)
        mask = ops.cast(i >= j, dtype="int32")
        return ops.reshape(mask, (1, length, length))

    def call(self, inputs, encoder_outputs, mask=None):
        causal_mask = self.get_causal_attention_mask(inputs)
        if mask is not None:
            causal_mask = ops.minimum(ops.cast(mask[:, None, :], dtype="int32"), causal_mask)
        a = self.attention_1(query=inputs, value=inputs, key=inputs, attention_mask=causal_mask)
        a = self.norms[0](inputs + a)
        b = self.attention_2(query=a, value=encoder_outputs, key=encoder_outputs)
        b = self.norms[1](a + b)
        return self.norms[2](b + self.dense_2(self.dense_1(b)))


sources = tokens
targets = np.concatenate([np.ones((64, 1), "int64"), tokens[:, ::-1]], axis=1)
encoder_inputs = keras.Input(shape=(None,), dtype="int64", name="source")
x = PositionalEmbedding(LENGTH, VOCABULARY, 8)(encoder_inputs)
encoder_outputs = TransformerEncoder(8, 16, 2)(x)
decoder_inputs = keras.Input(shape=(None,), dtype="int64", name="target")
x = PositionalEmbedding(LENGTH, VOCABULARY, 8)(decoder_inputs)
x = TransformerDecoder(8, 16, 2)(x, encoder_outputs)
decoder_outputs = layers.Dense(VOCABULARY, activation="softmax")(x)
translator = keras.Model([encoder_inputs, decoder_inputs], decoder_outputs)
set_equal_weights(translator)
translator.compile("rmsprop", "sparse_categorical_crossentropy", metrics=["accuracy"])
data = {"source": sources, "target": targets[:, :-1]}
history = translator.fit(data, targets[:, 1:], epochs=2, batch_size=16, shuffle=False, verbose=0)
show("translator", history.history["loss"], history.history["accuracy"])
decoded = np.ones((2, 1), "int64")
for _ in range(5):
    predictions = translator.predict([sources[:2], decoded], verbose=0)
    decoded = np.concatenate([decoded, predictions[:, -1].argmax(-1)[:, None]], axis=1)
print("decoded", decoded.shape)


# Generation with a temperature, after each epoch
class TextGenerator(keras.callbacks.Callback):
    def __init__(self, prompt, length, temperatures=(1.0,), print_freq=1):
        super().__init__()
        self.prompt, self.length, self.temperatures, self.print_freq = (
            prompt,
            length,
            temperatures,
            print_freq,
        )

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.print_freq != 0:
            return
        for temperature in self.temperatures:
            sentence = list(self.prompt)
            for _ in range(self.length):
                predictions = self.model(np.array([sentence]))
                logits = ops.log(predictions[0, -1]) / temperature
                sentence.append(int(keras.random.categorical(logits[None], 1, seed=1)[0, 0]))
            print("generated", epoch, temperature, len(sentence))


inputs = keras.Input(shape=(None,), dtype="int64")
x = PositionalEmbedding(LENGTH, VOCABULARY, 8)(inputs)
x = TransformerDecoder(8, 16, 2)(x, x)
language_model = keras.Model(inputs, layers.Dense(VOCABULARY, activation="softmax")(x))
language_model.compile(loss="sparse_categorical_crossentropy", optimizer="rmsprop")
language_model.fit(
    tokens[:, :-1], tokens[:, 1:], epochs=2, verbose=0, callbacks=[TextGenerator([1, 2], 4, (0.2, 1.0))]
)

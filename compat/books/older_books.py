"""How books wrote before Keras 3: tensorflow.keras, the backend as K, old names and arguments, generators."""

import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import backend as K
from tensorflow.keras.callbacks import EarlyStopping, ReduceLROnPlateau
from tensorflow.keras.layers import (
    GRU,
    LSTM,
    Activation,
    BatchNormalization,
    Bidirectional,
    Conv1D,
    Conv2D,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    GlobalMaxPooling1D,
    Input,
    Lambda,
    MaxPooling2D,
    TimeDistributed,
)
from tensorflow.keras.models import Model, Sequential, load_model
from tensorflow.keras.optimizers import RMSprop
from tensorflow.keras.preprocessing.image import ImageDataGenerator
from tensorflow.keras.preprocessing.sequence import pad_sequences
from tensorflow.keras.preprocessing.text import Tokenizer
from tensorflow.keras.utils import to_categorical

keras.backend.clear_session()
tf.random.set_seed(42)
np.random.seed(42)

# Digits
x_train = np.random.rand(48, 8, 8, 1).astype("float32")
y_train = to_categorical(np.arange(48) % 4, 4)
model = Sequential()
model.add(Conv2D(8, (3, 3), activation="relu", input_shape=(8, 8, 1)))
model.add(MaxPooling2D((2, 2)))
model.add(BatchNormalization(momentum=0.9))
model.add(Dropout(0.25))
model.add(Flatten())
model.add(Dense(16, kernel_initializer="he_uniform"))
model.add(Activation("relu"))
model.add(Dense(4, activation="softmax"))
model.compile(
    loss=keras.losses.categorical_crossentropy, optimizer=RMSprop(lr=0.001, decay=1e-6), metrics=["acc"]
)
datagen = ImageDataGenerator(rotation_range=20, width_shift_range=0.1, horizontal_flip=True, rescale=1.0)
history = model.fit(
    datagen.flow(x_train, y_train, batch_size=16), steps_per_epoch=3, epochs=2, verbose=0,
    callbacks=[EarlyStopping(monitor="acc", patience=3), ReduceLROnPlateau(monitor="loss", factor=0.1, patience=10)],
)  # fmt: skip
print("digits", sorted(history.history), len(history.epoch))
K.set_value(model.optimizer.lr, 0.01)
print("rate", round(float(K.get_value(model.optimizer.lr)), 4))

# Words
samples = ["The cat sat on the mat.", "The dog ate my homework."]
tokenizer = Tokenizer(num_words=20)
tokenizer.fit_on_texts(samples)
sequences = tokenizer.texts_to_sequences(samples)
data = pad_sequences(sequences, maxlen=8)
print("words", data.shape, len(tokenizer.word_index), tokenizer.texts_to_matrix(samples, mode="binary").sum())
matrix = np.random.rand(20, 6)
model = Sequential()
model.add(Embedding(20, 6, input_length=8))
model.add(Bidirectional(LSTM(8, dropout=0.1, recurrent_dropout=0.1, return_sequences=True)))
model.add(GRU(8))
model.add(Dense(1, activation="sigmoid"))
model.layers[0].set_weights([matrix])
model.layers[0].trainable = False
model.compile(optimizer="rmsprop", loss="binary_crossentropy", metrics=["acc"])
model.fit(data, np.array([0, 1]), epochs=2, batch_size=2, verbose=0)
print("frozen", np.allclose(model.layers[0].get_weights()[0], matrix))
model = Sequential([Conv1D(8, 3, activation="relu", input_shape=(None, 6)), GlobalMaxPooling1D(), Dense(1)])
model.compile(RMSprop(), "mae")


def batches():
    while True:
        yield np.random.rand(4, 10, 6), np.random.rand(4)


model.fit_generator(
    batches(), steps_per_epoch=3, epochs=1, validation_data=batches(), validation_steps=1, verbose=0
)

# A variational autoencoder by Lambda and K
original = Input(shape=(12,))
h = Dense(8, activation="relu")(original)
z_mean = Dense(2)(h)
z_log_var = Dense(2)(h)


def sampling(args):
    mean, log_var = args
    epsilon = K.random_normal(shape=(K.shape(mean)[0], 2), mean=0.0, stddev=1.0)
    return mean + K.exp(log_var) * epsilon


z = Lambda(sampling, output_shape=(2,))([z_mean, z_log_var])
decoded = Dense(12, activation="sigmoid")(Dense(8, activation="relu")(z))


class CustomVariationalLayer(keras.layers.Layer):
    def vae_loss(self, x, z_decoded):
        x = K.flatten(x)
        z_decoded = K.flatten(z_decoded)
        xent_loss = keras.metrics.binary_crossentropy(x, z_decoded)
        kl_loss = -5e-4 * K.mean(1 + z_log_var_of(x) - K.square(x) - K.exp(z_log_var_of(x)), axis=-1)
        return K.mean(xent_loss + kl_loss)

    def call(self, inputs):
        x, z_decoded = inputs
        self.add_loss(self.vae_loss(x, z_decoded))
        return x


def z_log_var_of(x):
    return K.log(K.clip(x, K.epsilon(), 1.0))


vae = Model(original, CustomVariationalLayer()([original, decoded]))
vae.compile(optimizer="rmsprop", loss=None)
history = vae.fit(np.random.rand(32, 12), None, epochs=2, batch_size=8, verbose=0)
print("vae", len(history.history["loss"]))


def rmse(y_true, y_pred):
    return K.sqrt(K.mean(K.square(y_pred - y_true), axis=-1))


def recall_m(y_true, y_pred):
    true_positives = K.sum(K.round(K.clip(y_true * y_pred, 0, 1)))
    possible_positives = K.sum(K.round(K.clip(y_true, 0, 1)))
    return true_positives / (possible_positives + K.epsilon())


model = Sequential(
    [TimeDistributed(Dense(4), input_shape=(3, 5)), LSTM(4, stateful=False), Dense(1, activation="sigmoid")]
)
model.compile("adam", rmse, metrics=[recall_m])
model.fit(np.random.rand(16, 3, 5), np.random.randint(0, 2, (16, 1)).astype("float32"), epochs=1, verbose=0)
print("metrics", model.metrics_names)

# A stateful network over consecutive windows, its states reset between epochs
series = np.sin(np.arange(121) / 8).astype("float32")
x_state, y_state = series[:120].reshape(10, 12, 1), series[1:].reshape(10, 12, 1)
model = Sequential(
    [GRU(4, return_sequences=True, stateful=True, batch_input_shape=(1, 12, 1)), TimeDistributed(Dense(1))]
)
model.compile("sgd", "mse")


class ResetStates(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        self.model.layers[0].reset_states()


history = model.fit(
    x_state, y_state, batch_size=1, epochs=2, shuffle=False, callbacks=[ResetStates()], verbose=0
)
first, second = model.predict(x_state[:1], verbose=0), model.predict(x_state[:1], verbose=0)
print("state kept", not np.allclose(first, second), history.history["loss"][1] < history.history["loss"][0])
get_hidden = K.function([model.layers[0].input], [model.layers[0].output])
print(
    "function", get_hidden([x_state[:1]])[0].shape, load_model.__name__, K.int_shape(model.layers[0].output)
)

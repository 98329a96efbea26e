"""Raw text, raw images and raw tables: vectorization, directories, structured data, look-up layers in models."""

import os
import tempfile

import keras
import numpy as np
from keras import layers

directory = tempfile.mkdtemp()
keras.utils.set_random_seed(0)
generator = np.random.default_rng(9)

# Reviews in directories
GOOD, BAD = ["great", "lovely", "superb"], ["awful", "dull", "poor"]
texts, labels = [], []
for i in range(60):
    words = (
        generator.choice(GOOD if i % 2 else BAD, 3).tolist()
        + generator.choice(["film", "plot", "actor"], 4).tolist()
    )
    generator.shuffle(words)
    texts.append(" ".join(words).capitalize() + "!")
    labels.append(i % 2)
for split, rows in (("train", range(40)), ("test", range(40, 60))):
    for i in rows:
        folder = os.path.join(directory, "reviews", split, ("neg", "pos")[labels[i]])
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, f"{i}.txt"), "w") as file:
            file.write(texts[i])
train = keras.utils.text_dataset_from_directory(
    os.path.join(directory, "reviews", "train"), batch_size=8, seed=1
)
test = keras.utils.text_dataset_from_directory(
    os.path.join(directory, "reviews", "test"), batch_size=8, shuffle=False
)
print(train.class_names)

# Bags of words
for mode, ngrams in (("multi_hot", None), ("count", 2), ("tf_idf", 2)):
    vectorization = layers.TextVectorization(ngrams=ngrams, max_tokens=40, output_mode=mode)
    vectorization.adapt(train.map(lambda x, y: x))
    binary_train = train.map(lambda x, y, vectorize=vectorization: (vectorize(x), y), num_parallel_calls=4)
    binary_test = test.map(lambda x, y, vectorize=vectorization: (vectorize(x), y))
    inputs = keras.Input(shape=(vectorization.vocabulary_size(),))
    outputs = layers.Dense(1, activation="sigmoid")(layers.Dense(8, activation="relu")(inputs))
    model = keras.Model(inputs, outputs)
    model.compile(optimizer=keras.optimizers.Adam(0.02), loss="binary_crossentropy", metrics=["accuracy"])
    model.fit(binary_train.cache(), validation_data=binary_test.cache(), epochs=6, verbose=0)
    print(mode, model.evaluate(binary_test, verbose=0)[1] > 0.8)

# Sequences of words, with masks
vectorization = layers.TextVectorization(max_tokens=30, output_mode="int", output_sequence_length=10)
vectorization.adapt(texts)
print(vectorization.get_vocabulary()[:2], tuple(vectorization(["A great film", "unheard"]).shape))
inputs = keras.Input(shape=(1,), dtype="string")
x = vectorization(inputs)
x = layers.Embedding(input_dim=30, output_dim=8, mask_zero=True)(x)
x = layers.Bidirectional(layers.LSTM(8))(x)
x = layers.Dropout(0.2)(x)
outputs = layers.Dense(1, activation="sigmoid")(x)
model = keras.Model(inputs, outputs)
model.compile(optimizer=keras.optimizers.RMSprop(0.02), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(train, validation_data=test, epochs=6, verbose=0)
print("end to end", model.evaluate(test, verbose=0)[1] > 0.8)
model.save(os.path.join(directory, "text.keras"))
loaded = keras.models.load_model(os.path.join(directory, "text.keras"))
raw = np.array([["A superb film"], ["such a dull plot"]])
print("same", np.allclose(model.predict(raw, verbose=0), loaded.predict(raw, verbose=0), atol=1e-6))

# Images in directories
for i in range(24):
    folder = os.path.join(directory, "pictures", ("cats", "dogs")[i % 2])
    os.makedirs(folder, exist_ok=True)
    picture = generator.integers(0, 120, (20, 24, 3)) + np.array([0, 0, 120]) * (i % 2)
    keras.utils.save_img(os.path.join(folder, f"{i}.png"), picture, scale=False)
settings = {"image_size": (16, 16), "batch_size": 4, "validation_split": 0.25, "seed": 3}
train_images = keras.utils.image_dataset_from_directory(
    os.path.join(directory, "pictures"), subset="training", **settings
)
valid_images = keras.utils.image_dataset_from_directory(
    os.path.join(directory, "pictures"), subset="validation", **settings
)
for data_batch, labels_batch in train_images:
    print("batch", tuple(data_batch.shape), tuple(labels_batch.shape))
    break
augmentation = keras.Sequential(
    [layers.RandomFlip("horizontal"), layers.RandomRotation(0.1), layers.RandomZoom(0.2)]
)
inputs = keras.Input(shape=(16, 16, 3))
x = augmentation(inputs)
x = layers.Rescaling(1.0 / 255)(x)
x = layers.Conv2D(8, 3, activation="relu")(x)
x = layers.MaxPooling2D(2)(x)
x = layers.GlobalAveragePooling2D()(x)
x = layers.Dropout(0.1)(x)
model = keras.Model(inputs, layers.Dense(1, activation="sigmoid")(x))
model.compile(loss="binary_crossentropy", optimizer=keras.optimizers.Adam(0.02), metrics=["accuracy"])
callbacks = [keras.callbacks.ModelCheckpoint(os.path.join(directory, "pets.keras"), save_best_only=True)]
model.fit(train_images, epochs=8, validation_data=valid_images, callbacks=callbacks, verbose=0)
best = keras.models.load_model(os.path.join(directory, "pets.keras"))
print("pictures", best.evaluate(valid_images, verbose=0)[1] > 0.8)
augmented = train_images.map(lambda x, y: (augmentation(x, training=True), y)).prefetch(2)
model.fit(augmented.take(3), epochs=1, verbose=0)
image = keras.utils.img_to_array(
    keras.utils.load_img(os.path.join(directory, "pictures", "cats", "0.png"), target_size=(16, 16))
)
print("one", model.predict(image[None], verbose=0).shape)

# Windows of a series
series = np.sin(np.arange(300) / 7).astype("float32")[:, None]
data = keras.utils.timeseries_dataset_from_array(
    series[:-6],
    targets=series[12 + 6 :],
    sampling_rate=1,
    sequence_length=12,
    shuffle=True,
    batch_size=32,
    seed=1,
    end_index=250,
)
for samples, targets in data:
    print("windows", tuple(samples.shape), tuple(targets.shape))
    break
model = keras.Sequential([keras.Input((12, 1)), layers.LSTM(8, recurrent_dropout=0.1), layers.Dense(1)])
model.compile("adam", "mse", metrics=["mae"])
history = model.fit(data, epochs=3, verbose=0)
print("learns", history.history["loss"][-1] < history.history["loss"][0])

# A table with columns of several kinds
table = {
    "age": generator.integers(20, 80, 64),
    "thal": generator.choice(["normal", "fixed", "reversible"], 64),
    "sex": generator.integers(0, 2, 64),
    "pressure": generator.normal(120, 10, 64).astype("float32"),
}
target = (table["age"] > 50).astype("int64")
space = keras.utils.FeatureSpace(
    features={
        "sex": keras.utils.FeatureSpace.integer_categorical(num_oov_indices=0),
        "thal": keras.utils.FeatureSpace.string_categorical(num_oov_indices=0),
        "age": keras.utils.FeatureSpace.float_discretized(num_bins=6),
        "pressure": "float_normalized",
    },
    crosses=[keras.utils.FeatureSpace.cross(("sex", "age"), crossing_dim=8)],
    output_mode="concat",
)
space.adapt(table)
encoded = space.get_encoded_features()
x = layers.Dense(16, activation="relu")(encoded)
predictions = layers.Dense(1, activation="sigmoid")(x)
training_model = keras.Model(inputs=encoded, outputs=predictions)
training_model.compile(
    optimizer=keras.optimizers.Adam(0.02), loss="binary_crossentropy", metrics=["accuracy"]
)
training_model.fit(space(table), target, epochs=20, verbose=0)
print("table", training_model.evaluate(space(table), target, verbose=0)[1] > 0.8)
inference_model = keras.Model(inputs=space.get_inputs(), outputs=predictions)
print("row", inference_model.predict({name: column[:1] for name, column in table.items()}, verbose=0).shape)

# Look-up layers as a part of a functional model
lookup = layers.StringLookup(output_mode="one_hot")
lookup.adapt(table["thal"])
numbers = layers.Normalization(axis=None)
numbers.adapt(table["pressure"])
bins = layers.Discretization(bin_boundaries=[35, 50, 65], output_mode="one_hot")
thal, age, pressure = (
    keras.Input((1,), name=n, dtype=d)
    for n, d in (("thal", "string"), ("age", "float32"), ("pressure", "float32"))
)
features = layers.concatenate([lookup(thal), bins(age), numbers(pressure)])
model = keras.Model([thal, age, pressure], layers.Dense(1, activation="sigmoid")(features))
model.compile("adam", "binary_crossentropy")
columns = {name: table[name].reshape(-1, 1) for name in ("thal", "age", "pressure")}
model.fit(columns, target, epochs=1, verbose=0)
print("columns", model.predict(columns, verbose=0).shape, model.output_shape)
print("crossed", tuple(layers.HashedCrossing(5)((np.array(["a", "b"]), np.array([1, 2]))).shape))

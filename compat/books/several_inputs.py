"""Several inputs and outputs by lists and dictionaries, shared layers, nested models, plots, files, subclasses."""

import os
import tempfile

import keras
import numpy as np
from equal import set_equal_weights, show
from keras import layers, ops

directory = tempfile.mkdtemp()
generator = np.random.default_rng(6)
SAMPLES, WORDS, TAGS, DEPARTMENTS = 80, 20, 6, 4
title = generator.integers(0, 2, (SAMPLES, WORDS)).astype("float32")
body = generator.integers(0, 2, (SAMPLES, WORDS)).astype("float32")
tags = generator.integers(0, 2, (SAMPLES, TAGS)).astype("float32")
priority = generator.random((SAMPLES, 1))
department = np.eye(DEPARTMENTS)[generator.integers(0, DEPARTMENTS, SAMPLES)]


def build():
    title_input = keras.Input(shape=(WORDS,), name="title")
    body_input = keras.Input(shape=(WORDS,), name="text_body")
    tags_input = keras.Input(shape=(TAGS,), name="tags")
    features = layers.Concatenate()([title_input, body_input, tags_input])
    features = layers.Dense(8, activation="relu", name="dense_features")(features)
    priority_output = layers.Dense(1, activation="sigmoid", name="priority")(features)
    department_output = layers.Dense(DEPARTMENTS, activation="softmax", name="department")(features)
    return keras.Model(
        [title_input, body_input, tags_input], [priority_output, department_output], name="tickets"
    )


model = build()
set_equal_weights(model)
model.compile(
    optimizer="adam",
    loss=["mean_squared_error", "categorical_crossentropy"],
    metrics=[["mean_absolute_error"], ["accuracy"]],
    loss_weights=[1.0, 0.2],
)
model.fit([title, body, tags], [priority, department], epochs=1, shuffle=False, verbose=0)
show("lists", model.evaluate([title, body, tags], [priority, department], verbose=0))

model = build()
set_equal_weights(model)
model.compile(
    optimizer="rmsprop",
    loss={"priority": "mean_squared_error", "department": "categorical_crossentropy"},
    metrics={"priority": ["mean_absolute_error"], "department": ["accuracy"]},
)
inputs = {"title": title, "text_body": body, "tags": tags}
targets = {"priority": priority, "department": department}
history = model.fit(inputs, targets, epochs=2, shuffle=False, validation_split=0.25, verbose=0)
print(sorted(history.history))
show("dictionaries", model.evaluate(inputs, targets, verbose=0, return_dict=True))
priorities, departments = model.predict(inputs, verbose=0)
show("predictions", str(priorities.shape), departments.sum())

# A third output from the layers of the model
features = model.get_layer("dense_features").output
difficulty = layers.Dense(3, activation="softmax", name="difficulty")(features)
new_model = keras.Model(inputs=model.inputs, outputs=[*model.outputs, difficulty])
print([tuple(output.shape) for output in new_model.outputs], new_model.output_names)
new_model.summary()
keras.utils.plot_model(
    new_model, os.path.join(directory, "model.png"), show_shapes=True, show_layer_names=True
)
print("plotted", os.path.getsize(os.path.join(directory, "model.png")) > 1000)

# Wide and deep
normalization = layers.Normalization()
normalization.adapt(body)
wide_input = keras.Input(shape=[5], name="wide")
deep_input = keras.Input(shape=[WORDS], name="deep")
hidden = layers.Dense(6, activation="relu")(normalization(deep_input))
hidden = layers.Dense(6, activation="relu", kernel_regularizer=keras.regularizers.l2(0.01))(hidden)
output = layers.Dense(1, name="main")(layers.concatenate([wide_input, hidden]))
auxiliary = layers.Dense(1, name="auxiliary")(hidden)
model = keras.Model(inputs=[wide_input, deep_input], outputs={"main": output, "auxiliary": auxiliary})
set_equal_weights(model)
model.compile(
    loss={"main": "mse", "auxiliary": "mae"},
    loss_weights={"main": 0.9, "auxiliary": 0.1},
    optimizer=keras.optimizers.SGD(0.01, clipnorm=1.0),
    metrics={"main": ["RootMeanSquaredError"], "auxiliary": ["mae"]},
)
target = body.mean(1, keepdims=True)
model.fit((title[:, :5], body), {"main": target, "auxiliary": target}, epochs=2, shuffle=False, verbose=0)
result = model.evaluate(
    (title[:, :5], body), {"main": target, "auxiliary": target}, verbose=0, return_dict=True
)
show("wide and deep", result)
path = os.path.join(directory, "wide.keras")
model.save(path)
again = keras.models.load_model(path)
show(
    "again",
    again.evaluate((title[:, :5], body), {"main": target, "auxiliary": target}, verbose=0, return_dict=True),
)

# A siamese network: one encoder, two inputs, the distance by operations
encoder = keras.Sequential(
    [keras.Input((WORDS,)), layers.Dense(8, activation="tanh"), layers.Dense(4)], name="encoder"
)
left, right = keras.Input((WORDS,), name="left"), keras.Input((WORDS,), name="right")
distance = ops.sqrt(ops.sum(ops.square(encoder(left) - encoder(right)), axis=1, keepdims=True) + 1e-6)
similar = 1 / (1 + distance)
siamese = keras.Model([left, right], similar)
set_equal_weights(siamese)
siamese.compile(
    "adam", keras.losses.BinaryCrossentropy(label_smoothing=0.1), metrics=["accuracy", keras.metrics.AUC()]
)
same = (title.sum(1) > body.sum(1)).astype("float32")
siamese.fit(
    [title, body], same, epochs=2, batch_size=16, shuffle=False, class_weight={0: 1.0, 1: 2.0}, verbose=0
)
show(
    "siamese", siamese.evaluate([title, body], same, sample_weight=np.linspace(0.5, 1.5, SAMPLES), verbose=0)
)
clone = keras.models.clone_model(siamese)
clone.set_weights(siamese.get_weights())
print(
    "clone", np.allclose(clone.predict([title, body], verbose=0), siamese.predict([title, body], verbose=0))
)


# A subclass with lists and dictionaries of layers, called with a dictionary
class Tickets(keras.Model):
    def __init__(self, sizes, **kwargs):
        super().__init__(**kwargs)
        self.sizes = sizes
        self.hidden_layers = [layers.Dense(size, activation="relu") for size in sizes]
        self.blocks = {"norm": layers.BatchNormalization(), "drop": layers.Dropout(0.0)}
        self.heads = (layers.Dense(1, activation="sigmoid"), layers.Dense(DEPARTMENTS, activation="softmax"))

    def call(self, inputs, training=False):
        x = ops.concatenate([inputs["title"], inputs["text_body"], inputs["tags"]], axis=-1)
        for layer in self.hidden_layers:
            x = layer(x)
        x = self.blocks["drop"](self.blocks["norm"](x, training=training), training=training)
        return {"priority": self.heads[0](x), "department": self.heads[1](x)}

    def get_config(self):
        return {**super().get_config(), "sizes": self.sizes}


model = Tickets([8, 6])
outputs = model({name: value[:2] for name, value in inputs.items()})
print({name: tuple(value.shape) for name, value in sorted(outputs.items())})
set_equal_weights(model)
model.compile(
    "adam",
    {"priority": "mse", "department": "categorical_crossentropy"},
    metrics={"department": ["accuracy"]},
)
history = model.fit(inputs, targets, epochs=2, shuffle=False, batch_size=20, verbose=0)
show("subclass", history.history["loss"], history.history["department_accuracy"])
print(len(model.layers), len(model.weights), [weight.name for weight in model.heads[0].weights])
model.save(os.path.join(directory, "tickets.keras"))
again = keras.models.load_model(os.path.join(directory, "tickets.keras"), custom_objects={"Tickets": Tickets})
one, two = model.predict(inputs, verbose=0), again.predict(inputs, verbose=0)
print("again", all(np.allclose(one[name], two[name], atol=1e-6) for name in one))

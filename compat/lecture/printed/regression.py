# The lecture's regularized regression, as its slides print it, on scikit-learn's diabetes data.
import keras
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import scale

X, y = load_diabetes(return_X_y=True)
X, y = scale(X), scale(y)
X_reg_training, y_reg_training = X[:300], y[:300]
X_reg_val, y_reg_val = X[300:370], y[300:370]
X_reg_test, y_reg_test = X[370:], y[370:]

a, b = 0.01, 0.01
n_records = 10
model_reg = keras.Sequential()
# no need to use a Flattern layer
model_reg.add(
    keras.layers.Dense(4, activation="relu", kernel_regularizer=keras.regularizers.l1_l2(l1=a, l2=b))
)
model_reg.add(keras.layers.Dense(1))
model_reg.compile(optimizer="sgd", loss="mse")
model_reg.fit(
    X_reg_training,
    y_reg_training,
    validation_data=(X_reg_val, y_reg_val),
    epochs=40,
    batch_size=n_records,
)

print(model_reg.evaluate(X_reg_test, y_reg_test))
print(model_reg.predict(X_reg_test).shape)

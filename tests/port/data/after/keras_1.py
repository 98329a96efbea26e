'''Trains a simple convnet on the MNIST dataset (in the manner of the examples of Keras 1).'''

from __future__ import print_function
import numpy as np
np.random.seed(1337)  # for reproducibility

import kerasish as keras
from kerasish.datasets import mnist
from kerasish.models import Sequential, Model
from kerasish.layers import Dense, Dropout, Activation, Flatten, Input
from kerasish.layers import Convolution2D, MaxPooling2D
from kerasish.layers import LSTM
from kerasish.regularizers import l2
from kerasish import backend as K

batch_size, nb_classes, nb_epoch = 128, 10, 12
img_rows, img_cols = 28, 28
nb_filters = 32
nb_pool, nb_conv = 2, 3

(X_train, y_train), (X_test, y_test) = mnist.load_data()
if K.image_dim_ordering() == 'th':
    X_train = X_train.reshape(X_train.shape[0], 1, img_rows, img_cols)
Y_train = keras.utils.to_categorical(y_train, nb_classes)

model = Sequential()
model.add(Convolution2D(nb_filters, (nb_conv, nb_conv),
                        padding='valid',
                        input_shape=(img_rows, img_cols, 1)))   # first
model.add(Activation('relu'))
model.add(MaxPooling2D(pool_size=(nb_pool, nb_pool), data_format="channels_last"))
model.add(Dropout(rate=0.25))
model.add(Flatten())
model.add(Dense(128, kernel_regularizer=l2(0.01), use_bias=False))
model.add(Dense(units=nb_classes, kernel_initializer='glorot_uniform'))
model.add(Activation('softmax'))
model.compile(loss='categorical_crossentropy', optimizer='adadelta', metrics=['accuracy'])
history = model.fit(X_train, Y_train, batch_size=batch_size, epochs=nb_epoch,
                    verbose=1, validation_data=(X_test, Y_test))
print(max(history.history['val_accuracy']))

a = Input(shape=(5, 3))
left = LSTM(units=4, recurrent_activation='sigmoid', implementation=2, dropout=0.1)(a)
right = LSTM(4, recurrent_dropout=0.1)(a)
both = keras.layers.concatenate([left, right])
pair = Model(inputs=a, outputs=keras.layers.multiply([left, right], name='product'))

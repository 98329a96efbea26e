'''Trains a simple convnet on the MNIST dataset (in the manner of the examples of Keras 1).'''

from __future__ import print_function
import numpy as np
np.random.seed(1337)  # for reproducibility

from keras.datasets import mnist
from keras.models import Sequential, Model
from keras.layers import Dense, Dropout, Activation, Flatten, Input, merge
from keras.layers import Convolution2D, MaxPooling2D
from keras.layers.recurrent import LSTM
from keras.regularizers import l2
from keras.utils import np_utils
from keras import backend as K

batch_size, nb_classes, nb_epoch = 128, 10, 12
img_rows, img_cols = 28, 28
nb_filters = 32
nb_pool, nb_conv = 2, 3

(X_train, y_train), (X_test, y_test) = mnist.load_data()
if K.image_dim_ordering() == 'th':
    X_train = X_train.reshape(X_train.shape[0], 1, img_rows, img_cols)
Y_train = np_utils.to_categorical(y_train, nb_classes)

model = Sequential()
model.add(Convolution2D(nb_filters, nb_conv, nb_conv,
                        border_mode='valid',
                        input_shape=(img_rows, img_cols, 1)))   # first
model.add(Activation('relu'))
model.add(MaxPooling2D(pool_size=(nb_pool, nb_pool), dim_ordering='tf'))
model.add(Dropout(p=0.25))
model.add(Flatten())
model.add(Dense(128, W_regularizer=l2(0.01), bias=False))
model.add(Dense(output_dim=nb_classes, init='glorot_uniform'))
model.add(Activation('softmax'))
model.compile(loss='categorical_crossentropy', optimizer='adadelta', metrics=['accuracy'])
history = model.fit(X_train, Y_train, batch_size=batch_size, nb_epoch=nb_epoch,
                    verbose=1, validation_data=(X_test, Y_test))
print(max(history.history['val_acc']))

a = Input(shape=(5, 3))
left = LSTM(output_dim=4, inner_activation='sigmoid', consume_less='gpu', dropout_W=0.1)(a)
right = LSTM(4, dropout_U=0.1)(a)
both = merge([left, right], mode='concat')
pair = Model(input=a, output=merge([left, right], mode='mul', name='product'))

"""Layers: `torch.nn.Module`s with Keras's names, arguments and defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any as _Any

from kerasish.doors import lazy_door as _lazy_door
from kerasish.serialization import deserialize_keras_object as _deserialize_keras_object
from kerasish.serialization import serialize_keras_object as _serialize_keras_object

if TYPE_CHECKING:
    from kerasish.layers.activation.activation import Activation as Activation
    from kerasish.layers.activation.rectifiers import ELU as ELU
    from kerasish.layers.activation.rectifiers import LeakyReLU as LeakyReLU
    from kerasish.layers.activation.rectifiers import PReLU as PReLU
    from kerasish.layers.activation.rectifiers import ReLU as ReLU
    from kerasish.layers.activation.softmax import Softmax as Softmax
    from kerasish.layers.attention.attention import AdditiveAttention as AdditiveAttention
    from kerasish.layers.attention.attention import Attention as Attention
    from kerasish.layers.attention.group_query_attention import GroupQueryAttention as GroupQueryAttention
    from kerasish.layers.attention.multi_head_attention import MultiHeadAttention as MultiHeadAttention
    from kerasish.layers.convolution.conv import Conv1D as Conv1D
    from kerasish.layers.convolution.conv import Conv1D as Convolution1D
    from kerasish.layers.convolution.conv import Conv2D as Conv2D
    from kerasish.layers.convolution.conv import Conv2D as Convolution2D
    from kerasish.layers.convolution.conv import Conv3D as Conv3D
    from kerasish.layers.convolution.conv import Conv3D as Convolution3D
    from kerasish.layers.convolution.conv_transpose import Conv1DTranspose as Conv1DTranspose
    from kerasish.layers.convolution.conv_transpose import Conv1DTranspose as Convolution1DTranspose
    from kerasish.layers.convolution.conv_transpose import Conv2DTranspose as Conv2DTranspose
    from kerasish.layers.convolution.conv_transpose import Conv2DTranspose as Convolution2DTranspose
    from kerasish.layers.convolution.conv_transpose import Conv3DTranspose as Conv3DTranspose
    from kerasish.layers.convolution.conv_transpose import Conv3DTranspose as Convolution3DTranspose
    from kerasish.layers.convolution.depthwise_conv import DepthwiseConv1D as DepthwiseConv1D
    from kerasish.layers.convolution.depthwise_conv import DepthwiseConv2D as DepthwiseConv2D
    from kerasish.layers.convolution.separable_conv import SeparableConv1D as SeparableConv1D
    from kerasish.layers.convolution.separable_conv import SeparableConv1D as SeparableConvolution1D
    from kerasish.layers.convolution.separable_conv import SeparableConv2D as SeparableConv2D
    from kerasish.layers.convolution.separable_conv import SeparableConv2D as SeparableConvolution2D
    from kerasish.layers.core.dense import Dense as Dense
    from kerasish.layers.core.einsum_dense import EinsumDense as EinsumDense
    from kerasish.layers.core.embedding import Embedding as Embedding
    from kerasish.layers.core.embedding import ReversibleEmbedding as ReversibleEmbedding
    from kerasish.layers.core.identity import Identity as Identity
    from kerasish.layers.core.input_layer import Input as Input
    from kerasish.layers.core.input_layer import InputLayer as InputLayer
    from kerasish.layers.core.lambda_layer import Lambda as Lambda
    from kerasish.layers.core.masking import Masking as Masking
    from kerasish.layers.core.torch_module_wrapper import TorchModuleWrapper as TorchModuleWrapper
    from kerasish.layers.core.wrapper import Wrapper as Wrapper
    from kerasish.layers.input_spec import InputSpec as InputSpec
    from kerasish.layers.layer import Layer as Layer
    from kerasish.layers.merging.dot import Dot as Dot
    from kerasish.layers.merging.dot import dot as dot
    from kerasish.layers.merging.merge import Add as Add
    from kerasish.layers.merging.merge import Average as Average
    from kerasish.layers.merging.merge import Concatenate as Concatenate
    from kerasish.layers.merging.merge import Maximum as Maximum
    from kerasish.layers.merging.merge import Minimum as Minimum
    from kerasish.layers.merging.merge import Multiply as Multiply
    from kerasish.layers.merging.merge import Subtract as Subtract
    from kerasish.layers.merging.merge import add as add
    from kerasish.layers.merging.merge import average as average
    from kerasish.layers.merging.merge import concatenate as concatenate
    from kerasish.layers.merging.merge import maximum as maximum
    from kerasish.layers.merging.merge import minimum as minimum
    from kerasish.layers.merging.merge import multiply as multiply
    from kerasish.layers.merging.merge import subtract as subtract
    from kerasish.layers.normalization.batch_normalization import BatchNormalization as BatchNormalization
    from kerasish.layers.normalization.group_normalization import GroupNormalization as GroupNormalization
    from kerasish.layers.normalization.layer_normalization import LayerNormalization as LayerNormalization
    from kerasish.layers.normalization.layer_normalization import RMSNormalization as RMSNormalization
    from kerasish.layers.normalization.spectral_normalization import (
        SpectralNormalization as SpectralNormalization,
    )
    from kerasish.layers.normalization.unit_normalization import UnitNormalization as UnitNormalization
    from kerasish.layers.pooling.adaptive_pooling import AdaptiveAveragePooling1D as AdaptiveAveragePooling1D
    from kerasish.layers.pooling.adaptive_pooling import AdaptiveAveragePooling2D as AdaptiveAveragePooling2D
    from kerasish.layers.pooling.adaptive_pooling import AdaptiveAveragePooling3D as AdaptiveAveragePooling3D
    from kerasish.layers.pooling.adaptive_pooling import AdaptiveMaxPooling1D as AdaptiveMaxPooling1D
    from kerasish.layers.pooling.adaptive_pooling import AdaptiveMaxPooling2D as AdaptiveMaxPooling2D
    from kerasish.layers.pooling.adaptive_pooling import AdaptiveMaxPooling3D as AdaptiveMaxPooling3D
    from kerasish.layers.pooling.global_pooling import GlobalAveragePooling1D as GlobalAveragePooling1D
    from kerasish.layers.pooling.global_pooling import GlobalAveragePooling1D as GlobalAvgPool1D
    from kerasish.layers.pooling.global_pooling import GlobalAveragePooling2D as GlobalAveragePooling2D
    from kerasish.layers.pooling.global_pooling import GlobalAveragePooling2D as GlobalAvgPool2D
    from kerasish.layers.pooling.global_pooling import GlobalAveragePooling3D as GlobalAveragePooling3D
    from kerasish.layers.pooling.global_pooling import GlobalAveragePooling3D as GlobalAvgPool3D
    from kerasish.layers.pooling.global_pooling import GlobalMaxPooling1D as GlobalMaxPool1D
    from kerasish.layers.pooling.global_pooling import GlobalMaxPooling1D as GlobalMaxPooling1D
    from kerasish.layers.pooling.global_pooling import GlobalMaxPooling2D as GlobalMaxPool2D
    from kerasish.layers.pooling.global_pooling import GlobalMaxPooling2D as GlobalMaxPooling2D
    from kerasish.layers.pooling.global_pooling import GlobalMaxPooling3D as GlobalMaxPool3D
    from kerasish.layers.pooling.global_pooling import GlobalMaxPooling3D as GlobalMaxPooling3D
    from kerasish.layers.pooling.pooling import AveragePooling1D as AveragePooling1D
    from kerasish.layers.pooling.pooling import AveragePooling1D as AvgPool1D
    from kerasish.layers.pooling.pooling import AveragePooling2D as AveragePooling2D
    from kerasish.layers.pooling.pooling import AveragePooling2D as AvgPool2D
    from kerasish.layers.pooling.pooling import AveragePooling3D as AveragePooling3D
    from kerasish.layers.pooling.pooling import AveragePooling3D as AvgPool3D
    from kerasish.layers.pooling.pooling import MaxPooling1D as MaxPool1D
    from kerasish.layers.pooling.pooling import MaxPooling1D as MaxPooling1D
    from kerasish.layers.pooling.pooling import MaxPooling2D as MaxPool2D
    from kerasish.layers.pooling.pooling import MaxPooling2D as MaxPooling2D
    from kerasish.layers.pooling.pooling import MaxPooling3D as MaxPool3D
    from kerasish.layers.pooling.pooling import MaxPooling3D as MaxPooling3D
    from kerasish.layers.preprocessing.category_encoding import CategoryEncoding as CategoryEncoding
    from kerasish.layers.preprocessing.discretization import Discretization as Discretization
    from kerasish.layers.preprocessing.hashed_crossing import HashedCrossing as HashedCrossing
    from kerasish.layers.preprocessing.hashing import Hashing as Hashing
    from kerasish.layers.preprocessing.image.color import RandomBrightness as RandomBrightness
    from kerasish.layers.preprocessing.image.color import RandomColorDegeneration as RandomColorDegeneration
    from kerasish.layers.preprocessing.image.color import RandomColorJitter as RandomColorJitter
    from kerasish.layers.preprocessing.image.color import RandomContrast as RandomContrast
    from kerasish.layers.preprocessing.image.color import RandomGaussianBlur as RandomGaussianBlur
    from kerasish.layers.preprocessing.image.color import RandomGrayscale as RandomGrayscale
    from kerasish.layers.preprocessing.image.color import RandomHue as RandomHue
    from kerasish.layers.preprocessing.image.color import RandomInvert as RandomInvert
    from kerasish.layers.preprocessing.image.color import RandomPosterization as RandomPosterization
    from kerasish.layers.preprocessing.image.color import RandomSaturation as RandomSaturation
    from kerasish.layers.preprocessing.image.color import RandomSharpness as RandomSharpness
    from kerasish.layers.preprocessing.image.color import Solarization as Solarization
    from kerasish.layers.preprocessing.image.histograms import AutoContrast as AutoContrast
    from kerasish.layers.preprocessing.image.histograms import (
        ContrastLimitedAdaptiveHistogramEqualization as ContrastLimitedAdaptiveHistogramEqualization,
    )
    from kerasish.layers.preprocessing.image.histograms import Equalization as Equalization
    from kerasish.layers.preprocessing.image.mixing import CutMix as CutMix
    from kerasish.layers.preprocessing.image.mixing import MaxNumBoundingBoxes as MaxNumBoundingBoxes
    from kerasish.layers.preprocessing.image.mixing import MixUp as MixUp
    from kerasish.layers.preprocessing.image.mixing import RandomErasing as RandomErasing
    from kerasish.layers.preprocessing.image.policies import AugMix as AugMix
    from kerasish.layers.preprocessing.image.policies import RandAugment as RandAugment
    from kerasish.layers.preprocessing.image.random_flip import RandomFlip as RandomFlip
    from kerasish.layers.preprocessing.image.resizing import CenterCrop as CenterCrop
    from kerasish.layers.preprocessing.image.resizing import RandomCrop as RandomCrop
    from kerasish.layers.preprocessing.image.resizing import Resizing as Resizing
    from kerasish.layers.preprocessing.image.warping import RandomElasticTransform as RandomElasticTransform
    from kerasish.layers.preprocessing.image.warping import RandomPerspective as RandomPerspective
    from kerasish.layers.preprocessing.image.warping import RandomRotation as RandomRotation
    from kerasish.layers.preprocessing.image.warping import RandomShear as RandomShear
    from kerasish.layers.preprocessing.image.warping import RandomTranslation as RandomTranslation
    from kerasish.layers.preprocessing.image.warping import RandomZoom as RandomZoom
    from kerasish.layers.preprocessing.integer_lookup import IntegerLookup as IntegerLookup
    from kerasish.layers.preprocessing.mel_spectrogram import MelSpectrogram as MelSpectrogram
    from kerasish.layers.preprocessing.normalization import Normalization as Normalization
    from kerasish.layers.preprocessing.pipeline import Pipeline as Pipeline
    from kerasish.layers.preprocessing.rescaling import Rescaling as Rescaling
    from kerasish.layers.preprocessing.stft_spectrogram import STFTSpectrogram as STFTSpectrogram
    from kerasish.layers.preprocessing.string_lookup import StringLookup as StringLookup
    from kerasish.layers.preprocessing.text_vectorization import TextVectorization as TextVectorization
    from kerasish.layers.recurrent.bidirectional import Bidirectional as Bidirectional
    from kerasish.layers.recurrent.conv_lstm import ConvLSTM1D as ConvLSTM1D
    from kerasish.layers.recurrent.conv_lstm import ConvLSTM2D as ConvLSTM2D
    from kerasish.layers.recurrent.conv_lstm import ConvLSTM3D as ConvLSTM3D
    from kerasish.layers.recurrent.gru import GRU as GRU
    from kerasish.layers.recurrent.gru import GRUCell as GRUCell
    from kerasish.layers.recurrent.lstm import LSTM as LSTM
    from kerasish.layers.recurrent.lstm import LSTMCell as LSTMCell
    from kerasish.layers.recurrent.rnn import RNN as RNN
    from kerasish.layers.recurrent.simple_rnn import SimpleRNN as SimpleRNN
    from kerasish.layers.recurrent.simple_rnn import SimpleRNNCell as SimpleRNNCell
    from kerasish.layers.recurrent.stacked_rnn_cells import StackedRNNCells as StackedRNNCells
    from kerasish.layers.recurrent.time_distributed import TimeDistributed as TimeDistributed
    from kerasish.layers.regularization.activity_regularization import (
        ActivityRegularization as ActivityRegularization,
    )
    from kerasish.layers.regularization.dropout import Dropout as Dropout
    from kerasish.layers.regularization.noise import AlphaDropout as AlphaDropout
    from kerasish.layers.regularization.noise import GaussianDropout as GaussianDropout
    from kerasish.layers.regularization.noise import GaussianNoise as GaussianNoise
    from kerasish.layers.regularization.spatial_dropout import SpatialDropout1D as SpatialDropout1D
    from kerasish.layers.regularization.spatial_dropout import SpatialDropout2D as SpatialDropout2D
    from kerasish.layers.regularization.spatial_dropout import SpatialDropout3D as SpatialDropout3D
    from kerasish.layers.reshaping.cropping import Cropping1D as Cropping1D
    from kerasish.layers.reshaping.cropping import Cropping2D as Cropping2D
    from kerasish.layers.reshaping.cropping import Cropping3D as Cropping3D
    from kerasish.layers.reshaping.flatten import Flatten as Flatten
    from kerasish.layers.reshaping.permute import Permute as Permute
    from kerasish.layers.reshaping.repeat_vector import RepeatVector as RepeatVector
    from kerasish.layers.reshaping.reshape import Reshape as Reshape
    from kerasish.layers.reshaping.up_sampling import UpSampling1D as UpSampling1D
    from kerasish.layers.reshaping.up_sampling import UpSampling2D as UpSampling2D
    from kerasish.layers.reshaping.up_sampling import UpSampling3D as UpSampling3D
    from kerasish.layers.reshaping.zero_padding import ZeroPadding1D as ZeroPadding1D
    from kerasish.layers.reshaping.zero_padding import ZeroPadding2D as ZeroPadding2D
    from kerasish.layers.reshaping.zero_padding import ZeroPadding3D as ZeroPadding3D

__getattr__, __dir__ = _lazy_door(__name__)


def serialize(layer: _Any) -> dict[str, _Any]:
    """The JSON config of a layer or model."""
    return _serialize_keras_object(layer)


def deserialize(config: _Any, custom_objects: dict[str, _Any] | None = None) -> Layer:
    """Make a layer or model, with new weights, from its JSON config or the name of its class."""
    if isinstance(config, str):
        config = {"class_name": config, "config": {}}
    if isinstance(config, dict) and "class_name" in config and "module" not in config:
        config = {"module": "keras.layers", "registered_name": None, "config": {}, **config}
    return _deserialize_keras_object(config, custom_objects=custom_objects, default_module="keras.layers")

"""Pictures: reading, writing, resizing, and Keras 2's random changes of them."""

from kerasish.preprocessing.image_generator import ImageDataGenerator as ImageDataGenerator
from kerasish.preprocessing.image_iterators import DataFrameIterator as DataFrameIterator
from kerasish.preprocessing.image_iterators import DirectoryIterator as DirectoryIterator
from kerasish.preprocessing.image_iterators import Iterator as Iterator
from kerasish.preprocessing.image_iterators import NumpyArrayIterator as NumpyArrayIterator
from kerasish.preprocessing.pictures import array_to_img as array_to_img
from kerasish.preprocessing.pictures import img_to_array as img_to_array
from kerasish.preprocessing.pictures import load_img as load_img
from kerasish.preprocessing.pictures import save_img as save_img
from kerasish.preprocessing.resizing import smart_resize as smart_resize
from kerasish.preprocessing.transforms import apply_affine_transform as apply_affine_transform
from kerasish.preprocessing.transforms import apply_brightness_shift as apply_brightness_shift
from kerasish.preprocessing.transforms import apply_channel_shift as apply_channel_shift
from kerasish.preprocessing.transforms import random_brightness as random_brightness
from kerasish.preprocessing.transforms import random_channel_shift as random_channel_shift
from kerasish.preprocessing.transforms import random_rotation as random_rotation
from kerasish.preprocessing.transforms import random_shear as random_shear
from kerasish.preprocessing.transforms import random_shift as random_shift
from kerasish.preprocessing.transforms import random_zoom as random_zoom

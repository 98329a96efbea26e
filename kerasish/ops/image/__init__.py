"""Operations on images, one or a batch of them, in either layout."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kerasish.doors import lazy_door as _lazy_door

if TYPE_CHECKING:
    from kerasish.ops.image.color import hsv_to_rgb as hsv_to_rgb
    from kerasish.ops.image.color import rgb_to_grayscale as rgb_to_grayscale
    from kerasish.ops.image.color import rgb_to_hsv as rgb_to_hsv
    from kerasish.ops.image.filters import gaussian_blur as gaussian_blur
    from kerasish.ops.image.filters import sobel_edges as sobel_edges
    from kerasish.ops.image.filters import ssim as ssim
    from kerasish.ops.image.framing import crop_images as crop_images
    from kerasish.ops.image.framing import pad_images as pad_images
    from kerasish.ops.image.patches import extract_patches as extract_patches
    from kerasish.ops.image.patches import extract_patches_3d as extract_patches_3d
    from kerasish.ops.image.resizing import resize as resize
    from kerasish.ops.image.resizing import scale_and_translate as scale_and_translate
    from kerasish.ops.image.warping import affine_transform as affine_transform
    from kerasish.ops.image.warping import elastic_transform as elastic_transform
    from kerasish.ops.image.warping import map_coordinates as map_coordinates
    from kerasish.ops.image.warping import perspective_transform as perspective_transform

__getattr__, __dir__ = _lazy_door(__name__)

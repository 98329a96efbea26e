"""Models: layers that can be trained."""

from kerasish.models.cloning import clone_model as clone_model
from kerasish.models.functional import Functional as Functional
from kerasish.models.model import Model as Model
from kerasish.models.model import model_from_json as model_from_json
from kerasish.models.sequential import Sequential as Sequential
from kerasish.saving.archive import load_model as load_model
from kerasish.saving.archive import save_model as save_model

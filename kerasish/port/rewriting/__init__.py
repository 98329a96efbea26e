"""Source code of Keras and tf.keras rewritten for kerasish; needs libcst (`pip install "kerasish[port]"`)."""

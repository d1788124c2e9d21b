"""The networks of the program rebuilt in torch, for analysis, training and export only; the runtime knows none of this."""

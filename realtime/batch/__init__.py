"""Many recordings at once: what `facemirror-live batch` does on one machine or several, with a ledger on disk as the truth."""

"""The long-lived loops of a worker, one file each; `supervisor` holds them all."""

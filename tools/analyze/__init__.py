"""What a network is made of: modules, parameters, operations, work, and what a Neural Engine would make of it."""

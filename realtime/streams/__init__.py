"""Live streams of the measures to other programs: Lab Streaming Layer and OSC."""

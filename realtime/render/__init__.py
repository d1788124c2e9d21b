"""What is drawn on a picture: landmarks, mirrored half-faces, the panel of Action Units, the status line, guidance, blur."""

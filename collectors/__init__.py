"""What is seen: metric windows, the journal, the lake and the heatmap cells."""

"""What a transcript looks like for people and programs: text, subtitles, tables, documents."""

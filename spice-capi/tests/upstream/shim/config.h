/* Takes the place of what the C project's build writes. */

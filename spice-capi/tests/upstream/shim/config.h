/* What the C project's configuration would say to its tests: Debian's library has GStreamer. */
#define HAVE_GSTREAMER_1_0 1

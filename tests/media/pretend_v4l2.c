/* Video4Linux devices for programs that run with this library preloaded: libav's own reader, without a kernel module.
 *
 * $PRETEND_V4L2/dev/videoN is a device while the file is there. Its lines: "name TEXT", "output" (nobody sends to it),
 * "busy" (another program streams from it), and a mode each, "FOURCC WIDTH HEIGHT FPS [FPS...]". A frame's bytes are in
 * $PRETEND_V4L2/frames/FOURCC_WIDTHxHEIGHT. What the ioctls answer follows the kernel's V4L2 documentation.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define DEVICES 16
#define MODES 32
#define BUFFERS 32
#define RATES 8

struct mode {
    __u32 code, width, height, rates[RATES], count;
};

struct device {
    int fd, used, output, busy;
    char path[512], name[32];
    struct mode modes[MODES];
    unsigned modes_count, now, fps, buffers, sequence, first, queued;
    __u32 size, queue[BUFFERS];
    struct timespec due;
};

static struct device devices[DEVICES];

static int original_open(const char *path, int flags, mode_t mode) {
    static int (*next)(const char *, int, ...);
    if (!next) next = dlsym(RTLD_NEXT, "open");
    return next(path, flags, mode);
}

static struct device *device_of(int fd) {
    for (int i = 0; i < DEVICES; i++)
        if (devices[i].used && devices[i].fd == fd) return &devices[i];
    return NULL;
}

static int read_device(struct device *d) {
    FILE *file = fopen(d->path, "r");
    char line[256];
    if (!file) return -1;
    d->modes_count = d->output = d->busy = 0;
    while (fgets(line, sizeof line, file)) {
        struct mode m = {0};
        char code[5];
        int at, step;
        line[strcspn(line, "\n")] = 0;
        if (!strncmp(line, "name ", 5)) snprintf(d->name, sizeof d->name, "%.31s", line + 5);
        else if (!strcmp(line, "output")) d->output = 1;
        else if (!strcmp(line, "busy")) d->busy = 1;
        else if (sscanf(line, "%4s %u %u%n", code, &m.width, &m.height, &at) == 3 && d->modes_count < MODES) {
            memcpy(&m.code, code, 4);
            while (m.count < RATES && sscanf(line + at, "%u%n", &m.rates[m.count], &step) == 1) at += step, m.count++;
            d->modes[d->modes_count++] = m;
        }
    }
    fclose(file);
    return 0;
}

static int open_device(const char *path) {
    for (int i = 0; i < DEVICES; i++) {
        struct device *d = &devices[i];
        if (d->used) continue;
        memset(d, 0, sizeof *d);
        snprintf(d->path, sizeof d->path, "%s%s", getenv("PRETEND_V4L2"), path);
        if (read_device(d)) {
            errno = ENOENT;
            return -1;
        }
        d->fd = memfd_create("pretend", 0);
        d->fps = d->modes_count ? d->modes[0].rates[0] : 0;
        d->used = d->fd >= 0;
        return d->fd;
    }
    errno = EMFILE;
    return -1;
}

int open(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;
    va_end(more);
    if (getenv("PRETEND_V4L2") && !strncmp(path, "/dev/video", 10)) return open_device(path);
    return original_open(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;
    va_end(more);
    return open(path, flags | O_LARGEFILE, mode);
}

int close(int fd) {
    static int (*next)(int);
    struct device *d = device_of(fd);
    if (!next) next = dlsym(RTLD_NEXT, "close");
    if (d) d->used = 0;
    return next(fd);
}

static int fail(int number) {
    errno = number;
    return -1;
}

static struct mode *nearest(struct device *d, __u32 code, __u32 width, __u32 height) {
    struct mode *best = NULL;
    for (int exact = 1; exact >= 0 && !best; exact--)
        for (unsigned i = 0; i < d->modes_count; i++) {
            struct mode *m = &d->modes[i];
            if (exact && m->code != code) continue;
            long off = labs((long)m->width - width) + labs((long)m->height - height);
            if (!best || off < labs((long)best->width - width) + labs((long)best->height - height)) best = m;
        }
    return best;
}

static void fill_format(struct v4l2_pix_format *pix, const struct mode *m) {
    memset(pix, 0, sizeof *pix);
    pix->pixelformat = m->code;
    pix->width = m->width;
    pix->height = m->height;
    pix->field = V4L2_FIELD_NONE;
    pix->bytesperline = m->width * 2;
    pix->sizeimage = m->width * m->height * 2;
    pix->colorspace = V4L2_COLORSPACE_SRGB;
}

static int enumerate_formats(struct device *d, struct v4l2_fmtdesc *f) {
    __u32 seen[MODES], count = 0;
    for (unsigned i = 0; i < d->modes_count; i++) {
        unsigned k = 0;
        while (k < count && seen[k] != d->modes[i].code) k++;
        if (k == count) seen[count++] = d->modes[i].code;
    }
    if (f->index >= count) return fail(EINVAL);
    f->pixelformat = seen[f->index];
    f->flags = memcmp(&f->pixelformat, "MJPG", 4) ? 0 : V4L2_FMT_FLAG_COMPRESSED;
    snprintf((char *)f->description, sizeof f->description, "%.4s", (char *)&f->pixelformat);
    return 0;
}

static int enumerate_sizes(struct device *d, struct v4l2_frmsizeenum *f) {
    unsigned index = f->index;
    for (unsigned i = 0; i < d->modes_count; i++)
        if (d->modes[i].code == f->pixel_format && index-- == 0) {
            f->type = V4L2_FRMSIZE_TYPE_DISCRETE;
            f->discrete.width = d->modes[i].width;
            f->discrete.height = d->modes[i].height;
            return 0;
        }
    return fail(EINVAL);
}

static int enumerate_intervals(struct device *d, struct v4l2_frmivalenum *f) {
    for (unsigned i = 0; i < d->modes_count; i++) {
        struct mode *m = &d->modes[i];
        if (m->code != f->pixel_format || m->width != f->width || m->height != f->height) continue;
        if (f->index >= m->count) return fail(EINVAL);
        f->type = V4L2_FRMIVAL_TYPE_DISCRETE;
        f->discrete.numerator = 1;
        f->discrete.denominator = m->rates[f->index];
        return 0;
    }
    return fail(EINVAL);
}

static int set_rate(struct device *d, struct v4l2_captureparm *c, int set) {
    struct mode *m = &d->modes[d->now];
    if (set && c->timeperframe.numerator) {
        double wish = (double)c->timeperframe.denominator / c->timeperframe.numerator;
        d->fps = m->rates[0];
        for (unsigned i = 1; i < m->count; i++)
            if (labs((long)(m->rates[i] - wish)) < labs((long)(d->fps - wish))) d->fps = m->rates[i];
    }
    c->capability = V4L2_CAP_TIMEPERFRAME;
    c->timeperframe.numerator = 1;
    c->timeperframe.denominator = d->fps;
    return 0;
}

static int dequeue(struct device *d, struct v4l2_buffer *b) {
    struct mode *m = &d->modes[d->now];
    char path[600];
    static char data[1 << 22];
    d->due.tv_nsec += 1000000000L / d->fps;
    if (d->due.tv_nsec >= 1000000000L) d->due.tv_sec++, d->due.tv_nsec -= 1000000000L;
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &d->due, NULL);
    if (access(d->path, F_OK)) return fail(ENODEV);
    if (!d->queued) return fail(EAGAIN);
    snprintf(path, sizeof path, "%s/frames/%.4s_%ux%u", getenv("PRETEND_V4L2"), (char *)&m->code, m->width, m->height);
    int file = original_open(path, O_RDONLY, 0);
    ssize_t length = file < 0 ? -1 : read(file, data, sizeof data);
    if (file >= 0) close(file);
    if (length < 0) return fail(EIO);
    __u32 index = d->queue[d->first++ % BUFFERS];
    d->queued--;
    if (pwrite(d->fd, data, length, (off_t)index * d->size) != length) return fail(EIO);
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    b->index = index;
    b->bytesused = length;
    b->sequence = d->sequence++;
    b->flags = V4L2_BUF_FLAG_MAPPED | V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
    b->timestamp.tv_sec = now.tv_sec;
    b->timestamp.tv_usec = now.tv_nsec / 1000;
    b->length = d->size;
    return 0;
}

static int capability(struct device *d, struct v4l2_capability *c) {
    memset(c, 0, sizeof *c);
    strcpy((char *)c->driver, "pretend");
    memcpy(c->card, d->name, sizeof d->name);
    c->device_caps = V4L2_CAP_STREAMING | (d->output ? V4L2_CAP_VIDEO_OUTPUT : V4L2_CAP_VIDEO_CAPTURE);
    c->capabilities = c->device_caps | V4L2_CAP_DEVICE_CAPS;
    return 0;
}

static int answer(struct device *d, unsigned long request, void *arg) {
    struct v4l2_format *format = arg;
    struct v4l2_buffer *buffer = arg;
    struct v4l2_requestbuffers *wish = arg;
    struct mode *m;
    if (read_device(d)) return fail(ENODEV);
    switch (request) {
    case VIDIOC_QUERYCAP:
        return capability(d, arg);
    case VIDIOC_ENUMINPUT:
        if (((struct v4l2_input *)arg)->index) return fail(EINVAL);
        memset(arg, 0, sizeof(struct v4l2_input));
        ((struct v4l2_input *)arg)->type = V4L2_INPUT_TYPE_CAMERA;
        return 0;
    case VIDIOC_G_INPUT:
        *(int *)arg = 0;
        return 0;
    case VIDIOC_S_INPUT:
        return 0;
    case VIDIOC_ENUM_FMT:
        return enumerate_formats(d, arg);
    case VIDIOC_ENUM_FRAMESIZES:
        return enumerate_sizes(d, arg);
    case VIDIOC_ENUM_FRAMEINTERVALS:
        return enumerate_intervals(d, arg);
    case VIDIOC_G_FMT:
        fill_format(&format->fmt.pix, &d->modes[d->now]);
        return 0;
    case VIDIOC_S_FMT:
        if (d->busy) return fail(EBUSY);
        m = nearest(d, format->fmt.pix.pixelformat, format->fmt.pix.width, format->fmt.pix.height);
        if (!m) return fail(EINVAL);
        d->now = m - d->modes;
        d->fps = m->rates[0];
        fill_format(&format->fmt.pix, m);
        return 0;
    case VIDIOC_G_PARM:
    case VIDIOC_S_PARM:
        return set_rate(d, &((struct v4l2_streamparm *)arg)->parm.capture, request == VIDIOC_S_PARM);
    case VIDIOC_REQBUFS:
        if (d->busy) return fail(EBUSY);
        wish->count = wish->count > BUFFERS ? BUFFERS : wish->count;
        d->buffers = wish->count;
        d->size = (d->modes[d->now].width * d->modes[d->now].height * 2 + 4095) & ~4095u;
        return ftruncate(d->fd, (off_t)d->buffers * d->size);
    case VIDIOC_QUERYBUF:
        if (buffer->index >= d->buffers) return fail(EINVAL);
        buffer->length = d->size;
        buffer->m.offset = buffer->index * d->size;
        return 0;
    case VIDIOC_QBUF:
        if (buffer->index >= d->buffers) return fail(EINVAL);
        d->queue[(d->first + d->queued++) % BUFFERS] = buffer->index;
        return 0;
    case VIDIOC_STREAMON:
        clock_gettime(CLOCK_MONOTONIC, &d->due);
        return 0;
    case VIDIOC_STREAMOFF:
        return 0;
    case VIDIOC_DQBUF:
        return dequeue(d, arg);
    }
    return fail(ENOTTY);
}

int ioctl(int fd, unsigned long request, ...) {
    static int (*next)(int, unsigned long, ...);
    va_list more;
    va_start(more, request);
    void *arg = va_arg(more, void *);
    va_end(more);
    struct device *d = device_of(fd);
    if (!next) next = dlsym(RTLD_NEXT, "ioctl");
    return d ? answer(d, (unsigned int)request, arg) : next(fd, request, arg);
}

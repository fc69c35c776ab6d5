/* A V4L2 capture device made of a pipe, for a machine that has none: LD_PRELOAD it, and the program
 * that opens $V4L2_PIPE finds YUYV frames of $V4L2_WIDTH x $V4L2_HEIGHT there, as fast as they are
 * written. Streaming with mmap only (https://docs.kernel.org/userspace-api/media/v4l/mmap.html).
 *
 *   cc -shared -fPIC -o v4l2_pipe.so v4l2_pipe.c -ldl
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MOST 16

static int device = -1;
static unsigned width, height, size, count;
static void *memory[MOST];
static unsigned queue[MOST], first, queued;

static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

static int open_device(void) {
  width = atoi(getenv("V4L2_WIDTH")), height = atoi(getenv("V4L2_HEIGHT"));
  size = width * height * 2;
  int (*libc_open)(const char *, int, ...) = real("open");
  return device = libc_open(getenv("V4L2_PIPE"), O_RDONLY);
}

int open(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  const char *pipe = getenv("V4L2_PIPE");
  if (pipe && !strcmp(path, pipe)) return open_device();
  int (*libc_open)(const char *, int, ...) = real("open");
  return libc_open(path, flags, mode);
}
int open64(const char *path, int flags, ...) __attribute__((alias("open")));

void *mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset) {
  void *(*libc_mmap)(void *, size_t, int, int, int, off_t) = real("mmap");
  if (fd != device || fd < 0) return libc_mmap(at, length, protection, flags, fd, offset);
  return memory[offset / size] = libc_mmap(0, size, PROT_READ | PROT_WRITE,
                                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}
void *mmap64(void *, size_t, int, int, int, off_t) __attribute__((alias("mmap")));

static int take(struct v4l2_buffer *buffer) {
  if (!queued) return errno = EAGAIN, -1;
  buffer->index = queue[first];
  first = (first + 1) % MOST, queued--;
  for (size_t done = 0; done < size;) {
    ssize_t got = read(device, (char *)memory[buffer->index] + done, size - done);
    if (got <= 0) return errno = ENODEV, -1;
    done += got;
  }
  buffer->bytesused = buffer->length = size;
  buffer->flags = V4L2_BUF_FLAG_DONE;
  return 0;
}

static void describe(struct v4l2_pix_format *picture) {
  memset(picture, 0, sizeof *picture);
  picture->width = width, picture->height = height, picture->pixelformat = V4L2_PIX_FMT_YUYV;
  picture->field = V4L2_FIELD_NONE, picture->bytesperline = 2 * width, picture->sizeimage = size;
}

static int answer(unsigned long request, void *about) {
  struct v4l2_buffer *buffer = about;
  switch (request) {
    case VIDIOC_QUERYCAP: {
      struct v4l2_capability *can = about;
      memset(can, 0, sizeof *can);
      strcpy((char *)can->driver, "pipe"), strcpy((char *)can->card, "pipe");
      can->capabilities = can->device_caps = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
      return 0;
    }
    case VIDIOC_S_INPUT: return 0;
    case VIDIOC_G_FMT:
    case VIDIOC_TRY_FMT:
    case VIDIOC_S_FMT: return describe(&((struct v4l2_format *)about)->fmt.pix), 0;
    case VIDIOC_G_PARM:
    case VIDIOC_S_PARM: return 0;
    case VIDIOC_REQBUFS: {
      struct v4l2_requestbuffers *wanted = about;
      if (wanted->count > MOST) wanted->count = MOST;
      return count = wanted->count, 0;
    }
    case VIDIOC_QUERYBUF:
      if (buffer->index >= count) return errno = EINVAL, -1;
      return buffer->length = size, buffer->m.offset = buffer->index * size, 0;
    case VIDIOC_QBUF: return queue[(first + queued++) % MOST] = buffer->index, 0;
    case VIDIOC_DQBUF: return take(buffer);
    case VIDIOC_STREAMON:
    case VIDIOC_STREAMOFF: return 0;
    default: return errno = EINVAL, -1;
  }
}

int ioctl(int fd, unsigned long request, ...) {
  va_list rest;
  va_start(rest, request);
  void *about = va_arg(rest, void *);
  va_end(rest);
  if (fd == device && fd >= 0) return answer(request & 0xffffffff, about);
  int (*libc_ioctl)(int, unsigned long, ...) = real("ioctl");
  return libc_ioctl(fd, request, about);
}

/* Something to read for the demo models: a queue of lines, and a main that sorts them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct line {
    struct line *next;
    size_t len;
    char text[];
};

struct queue {
    struct line *head;
    struct line **tail;
    size_t count;
};

static void queue_init(struct queue *q)
{
    q->head = NULL;
    q->tail = &q->head;
    q->count = 0;
}

static int queue_push(struct queue *q, const char *text, size_t len)
{
    struct line *line = malloc(sizeof(*line) + len + 1);

    if (line == NULL)
        return -ENOMEM;
    memcpy(line->text, text, len);
    line->text[len] = '\0';
    line->len = len;
    line->next = NULL;
    *q->tail = line;
    q->tail = &line->next;
    q->count++;
    return 0;
}

static void queue_free(struct queue *q)
{
    struct line *line = q->head;

    while (line != NULL) {
        struct line *next = line->next;

        free(line);
        line = next;
    }
    queue_init(q);
}

static int compare(const void *a, const void *b)
{
    const struct line *x = *(const struct line *const *)a;
    const struct line *y = *(const struct line *const *)b;

    return strcmp(x->text, y->text);
}

static struct line **queue_sort(const struct queue *q)
{
    struct line **lines = calloc(q->count + 1, sizeof(*lines));
    size_t i = 0;

    if (lines == NULL)
        return NULL;
    for (struct line *line = q->head; line != NULL; line = line->next)
        lines[i++] = line;
    qsort(lines, q->count, sizeof(*lines), compare);
    return lines;
}

int main(int argc, char **argv)
{
    char buffer[4096];
    struct queue q;
    struct line **lines;
    FILE *in = stdin;

    if (argc > 2) {
        fprintf(stderr, "usage: %s [file]\n", argv[0]);
        return 2;
    }
    if (argc == 2 && (in = fopen(argv[1], "r")) == NULL) {
        fprintf(stderr, "%s: %s\n", argv[1], strerror(errno));
        return 1;
    }
    queue_init(&q);
    while (fgets(buffer, sizeof(buffer), in) != NULL) {
        if (queue_push(&q, buffer, strcspn(buffer, "\n")) < 0)
            goto out_of_memory;
    }
    lines = queue_sort(&q);
    if (lines == NULL)
        goto out_of_memory;
    for (size_t i = 0; i < q.count; i++)
        puts(lines[i]->text);
    free(lines);
    queue_free(&q);
    return 0;

out_of_memory:
    fprintf(stderr, "%s: out of memory\n", argv[0]);
    queue_free(&q);
    return 1;
}

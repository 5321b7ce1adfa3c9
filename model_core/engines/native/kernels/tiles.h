/* Products by tiles of AMX: sixteen rows meet sixteen outputs, 64 inputs at a time.
 *
 * Changes when multiplying by tiles is arranged in another way. A panel of seven-bit
 * weights is such a tile as it stands, four inputs of sixteen outputs to a line; the sums
 * are exact, so they are those of every other instruction set.
 *
 * Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 1,
 * chapter 18 (programming with Intel AMX).
 */
#ifndef TILES_H
#define TILES_H

#include "tile_permission.h"

#define TILE_ROWS 16
#define TILE_INPUTS 64
#define TILE_PANELS 4 /* whose sums stand in tiles at once: tiles 0 .. 3 */
#define ROWS_TILE 4
#define WEIGHTS_TILE 5
#define LAST_ROWS_TILE 6 /* of the inputs that fill no tile */
#define LAST_WEIGHTS_TILE 7

typedef struct {
    uint8_t palette, start_row, none[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} tile_shapes; /* as LDTILECFG reads it: 64 bytes */

__attribute__((constructor)) static void ask_for_tiles(void) { tiles_allowed(); }

static void shape_tile(tile_shapes *shapes, int tile, int rows, int row_bytes) {
    shapes->rows[tile] = (uint8_t)rows;
    shapes->row_bytes[tile] = (uint16_t)row_bytes;
}

static void shape_tiles(int rows, int last_inputs) {
    tile_shapes shapes = {.palette = 1};
    for (int panel = 0; panel < TILE_PANELS; panel++)
        shape_tile(&shapes, panel, rows, MP_PANEL * sizeof(int32_t));
    shape_tile(&shapes, ROWS_TILE, rows, TILE_INPUTS);
    shape_tile(&shapes, WEIGHTS_TILE, TILE_INPUTS / 4, 4 * MP_PANEL);
    if (last_inputs) {
        shape_tile(&shapes, LAST_ROWS_TILE, rows, last_inputs);
        shape_tile(&shapes, LAST_WEIGHTS_TILE, last_inputs / 4, 4 * MP_PANEL);
    }
    _tile_loadconfig(&shapes);
}

static void clear_sums(int panels) {
    _tile_zero(0);
    if (panels > 1) _tile_zero(1);
    if (panels > 2) _tile_zero(2);
    if (panels > 3) _tile_zero(3);
}

/* Tiles are named by constants: the same for whole tiles and for the last inputs. */
#define ADD_TILES(of_rows, of_weights)                                                   \
    _tile_loadd(of_rows, rows, p->from_stride);                                          \
    _tile_loadd(of_weights, weights, 4 * MP_PANEL);                                      \
    _tile_dpbsud(0, of_rows, of_weights);                                                \
    if (panels > 1) {                                                                    \
        _tile_loadd(of_weights, weights + p->panel_stride, 4 * MP_PANEL);                \
        _tile_dpbsud(1, of_rows, of_weights);                                            \
    }                                                                                    \
    if (panels > 2) {                                                                    \
        _tile_loadd(of_weights, weights + 2 * p->panel_stride, 4 * MP_PANEL);            \
        _tile_dpbsud(2, of_rows, of_weights);                                            \
    }                                                                                    \
    if (panels > 3) {                                                                    \
        _tile_loadd(of_weights, weights + 3 * p->panel_stride, 4 * MP_PANEL);            \
        _tile_dpbsud(3, of_rows, of_weights);                                            \
    }

static void store_sums(int panel, int32_t *sums) {
    const int stride = MP_PANEL * sizeof(int32_t);
    switch (panel) {
    case 0:
        _tile_stored(0, sums, stride);
        return;
    case 1:
        _tile_stored(1, sums, stride);
        return;
    case 2:
        _tile_stored(2, sums, stride);
        return;
    default:
        _tile_stored(3, sums, stride);
    }
}

/* Sixteen rows at most times four panels at most. */
static void multiply_tiles(int num_rows, int panels, const product *p) {
    const int8_t *rows = p->from, *weights = p->panels;
    const int inputs = (p->in + 3) / 4 * 4, last_inputs = inputs % TILE_INPUTS;
    clear_sums(panels);
    for (int k = 0; k + TILE_INPUTS <= inputs; k += TILE_INPUTS) {
        ADD_TILES(ROWS_TILE, WEIGHTS_TILE)
        rows += TILE_INPUTS;
        weights += TILE_INPUTS * MP_PANEL;
    }
    if (last_inputs) {
        ADD_TILES(LAST_ROWS_TILE, LAST_WEIGHTS_TILE)
    }
    for (int panel = 0; panel < panels; panel++) {
        int32_t sums[TILE_ROWS][MP_PANEL];
        vf real[TILE_ROWS][PER_PANEL];
        store_sums(panel, sums[0]);
        for (int r = 0; r < num_rows; r++)
            for (int v = 0; v < PER_PANEL; v++) {
                vi whole;
                memcpy(&whole, sums[r] + v * LANES, sizeof whole);
                real[r][v] = as_floats(whole - p->row_offsets[r]) * p->row_scales[r];
            }
        put(p, num_rows, panel, real[0], PER_PANEL);
    }
}

#endif

/** Of what is drawn, in the drawing's own units. */
export const NODE_WIDTH = 192;
export const NODE_HEIGHT = 54;
export const LABEL_WIDTH = 112;
export const LABEL_HEIGHT = 34;

export interface Point {
  readonly x: number;
  readonly y: number;
}
